import Jobs
import SQLite

/// One call writes a prefix into the provider's cache, and those that share it follow once it is there.
enum PromptCacheWarmup {
    /// What is left of an entry's life when it no longer counts: a call takes its time to arrive.
    private static let margin: Milliseconds = 10_000

    enum State {
        case warm
        /// An attempt writes it.
        case awaited
        case cold
    }

    static func state(of prefix: CachePrefix, route: Int64, now: Moment, _ connection: Connection) throws
        -> State
    {
        let found = try connection.queryOne(
            """
            SELECT boot, warm_until, EXISTS (
                SELECT 1
                FROM attempt
                WHERE attempt.job_id = prefix.warmup_job AND attempt.number = prefix.warmup_attempt
                    AND attempt.status = 'open'
            )
            FROM prefix
            WHERE route_id = ?1 AND hash = ?2
            """, [.integer(route), .blob(prefix.hash)]
        ) { row in
            (until: Moment(boot: row.int64(0), milliseconds: row.int64(1)), isWritten: row.bool(2))
        }
        guard let found else { return .cold }
        if !found.until.hasPassed(at: now) { return .warm }
        return found.isWritten ? .awaited : .cold
    }

    /// Notes who writes it.
    static func write(
        _ prefix: CachePrefix, route: Int64, by key: AttemptKey, now: Moment, _ connection: Connection
    ) throws {
        _ = try connection.run(
            """
            INSERT INTO prefix (route_id, hash, boot, warm_until, warmup_job, warmup_attempt)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            ON CONFLICT DO UPDATE SET boot = ?3, warm_until = ?4, warmup_job = ?5, warmup_attempt = ?6
            """,
            [
                .integer(route), .blob(prefix.hash), .integer(now.boot), .integer(now.milliseconds),
                .integer(key.job.value), .integer(key.number),
            ])
    }

    /// An answer of this attempt has come, and with it the entry was written or used; or the call came to nothing.
    static func close(
        _ attempt: StoredAttempt, of job: StoredJob, answered: Bool, now: Moment, _ connection: Connection
    ) throws {
        guard let prefix = job.prefix, attempt.route == attempt.home else { return }
        let wasWriter =
            try connection.queryOne(
                """
                SELECT 1 FROM prefix
                WHERE route_id = ?1 AND hash = ?2 AND warmup_job = ?3 AND warmup_attempt = ?4
                """,
                [
                    .integer(attempt.route), .blob(prefix.hash), .integer(attempt.job),
                    .integer(attempt.number),
                ], { row in row.int(0) }) != nil
        if answered {
            let until = now.milliseconds + prefix.lifetime - margin
            _ = try connection.run(
                """
                INSERT INTO prefix (route_id, hash, boot, warm_until)
                VALUES (?1, ?2, ?3, ?4)
                ON CONFLICT DO UPDATE SET boot = ?3, warm_until = ?4, warmup_job = NULL, warmup_attempt = NULL
                """, [.integer(attempt.route), .blob(prefix.hash), .integer(now.boot), .integer(until)])
            if wasWriter { try Holds.releaseAll(prefix.hash, route: attempt.home, connection) }
        } else if wasWriter {
            _ = try connection.run(
                "DELETE FROM prefix WHERE route_id = ?1 AND hash = ?2",
                [.integer(attempt.route), .blob(prefix.hash)])
            try Holds.releaseFirst(prefix.hash, route: attempt.home, connection)
        }
    }

    static func prune(_ connection: Connection, now: Moment) throws {
        _ = try connection.run(
            "DELETE FROM prefix WHERE warmup_job IS NULL AND (boot <> ?1 OR warm_until < ?2)",
            [.integer(now.boot), .integer(now.milliseconds)])
    }
}

extension CachePrefix {
    /// Out of two columns; nil where the job has none.
    init?(_ row: borrowing Row, from first: Int) {
        guard let hash = row.blobOrNil(first), let lifetime = row.int64OrNil(first + 1) else { return nil }
        self.init(hash: hash, lifetime: lifetime)
    }
}
