import Jobs
import SQLite
import StoreRules

/// The provider's prompt cache as attempts wrote it.
enum PromptCache {
    static func find(
        _ prefix: CachePrefix, route: Int64, _ connection: Connection
    ) throws -> WrittenPrefix? {
        try connection.queryOne(
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
            WrittenPrefix(
                warmUntil: Moment(epoch: row.int64(0), milliseconds: row.int64(1)), isOpen: row.bool(2))
        }
    }

    static func isWritten(
        _ prefix: CachePrefix, by attempt: AttemptRecord, _ connection: Connection
    ) throws -> Bool {
        try connection.queryOne(
            """
            SELECT 1 FROM prefix
            WHERE route_id = ?1 AND hash = ?2 AND warmup_job = ?3 AND warmup_attempt = ?4
            """,
            [
                .integer(attempt.route), .blob(prefix.hash), .integer(attempt.job),
                .integer(attempt.number),
            ], { row in row.int(0) }) != nil
    }

    static func prune(_ connection: Connection, now: Moment) throws {
        _ = try connection.run(
            "DELETE FROM prefix WHERE warmup_job IS NULL AND (boot <> ?1 OR warm_until < ?2)",
            [.integer(now.epoch), .integer(now.milliseconds)])
    }
}
