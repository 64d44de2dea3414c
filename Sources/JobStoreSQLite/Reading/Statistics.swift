package import Jobs
package import SQLite
import StoreRules

extension SQLiteJobStore {
    package func stats() async throws -> Stats {
        let budgets = try await budgets()
        let (now, settings) = (now(), settings)
        return try await read { connection in
            let totals = try WaitingTotals(connection, now: now, settings: settings)
            let queues = try Queues.find(connection, totals: totals)
            let routes = try Routes.find(connection, now: now, totals: totals)
            var counts = StateCounts()
            for queue in queues {
                for state in JobState.allCases { counts[state] += queue.counts[state] }
            }
            var stats = Stats(
                counts: counts, queues: queues, routes: routes,
                workers: try Statistics.workers(connection, now: now),
                spend: try Statistics.spend(connection), answers: try Statistics.answers(connection),
                oldestReady: try Statistics.oldestReady(connection), budgets: budgets)
            stats.calendar = try CalendarRow.dispute(connection, now: now)
            return stats
        }
    }

    package func checkReady() async throws -> StoreFacts {
        if let shortage = DiskSpace.shortage(at: path) { throw JobStoreError(.full, shortage.description) }
        // An empty write takes the write lock and gives it back. Only if the disk refused the last write is one made: not
        // every look at a well store shall wake those who wait for changes.
        let mustWrite = writer.statistics.isRefused
        let (version, bytes) = try await write { context in
            let connection = context.connection
            if mustWrite { try Schema.rewriteVersion(connection) }
            let bytes = try connection.queryOne(
                "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
            ) { row in row.int64(0) }
            return (try Schema.version(of: connection), bytes ?? 0)
        }
        return StoreFacts(
            engine: "SQLite", version: SQLiteVersion.current, schemaVersion: version,
            exposure: SQLiteVersion.hasWALResetBug ? Statistics.exposure : nil,
            databaseBytes: bytes, logPages: writer.statistics.logPages)
    }

    package var standstill: String { "its write lock is held, or the disk stands still" }

    /// What this process's own writer has done.
    package var writing: WriterStatistics { writer.statistics }

    package func backup(to path: String) async throws {
        do {
            try await Backup.copy(database: self.path, to: path, mode: options.fileMode)
        } catch {
            throw JobStoreError(error)
        }
    }
}

extension DiskSpace.Shortage {
    fileprivate var description: String {
        switch self {
        case .disk(let free): "the disk has \(free / 1024) KiB left"
        case .fileSize(let limit): "this process may write no file above \(limit / 1024) KiB (ulimit -f)"
        }
    }
}

private enum Statistics {
    static let exposure = """
        this version can lose committed data when a checkpoint runs beside a writer (fixed in SQLite 3.51.3); \
        renga checkpoints only while it holds the write lock
        """

    static func workers(_ connection: Connection, now: Now) throws -> [WorkerStatus] {
        let remedies = try KeyHolder.remedies(connection)
        return try connection.query(
            """
            SELECT worker.name, worker.slots, worker.started_at, worker.seen_at, worker.seen_boot, worker.seen_moment,
                (SELECT count(*) FROM attempt WHERE attempt.worker_id = worker.id AND attempt.status = 'open'),
                worker.disagreement, worker.superseded, worker.id
            FROM worker
            WHERE worker.stopped = 0
                AND (
                    worker.is_interactive = 0
                    OR (worker.seen_boot = ?1 AND worker.seen_moment > ?2 AND (
                        worker.superseded = 1 OR worker.disagreement <> 0 OR worker.id IN (
                            SELECT worker_service.worker_id
                            FROM worker_service
                            JOIN credential ON credential.id = worker_service.credential_id
                            WHERE credential.refused = 1
                        )
                    ))
                )
            ORDER BY worker.id DESC
            LIMIT 100
            """,
            WorkerLiveness.values(now.moment)
        ) { row in
            let seen = Moment(epoch: row.int64(4), milliseconds: row.int64(5))
            var status = WorkerStatus(
                name: row.text(0), slots: row.int(1), running: row.int(6),
                startedAt: Timestamp(milliseconds: row.int64(2)),
                seenAt: Timestamp(milliseconds: row.int64(3)),
                alive: WorkerLiveness.isAlive(seenAt: seen, now: now.moment))
            status.disagreement = row.int64(7)
            status.isSuperseded = row.bool(8)
            status.refusedKeys = remedies[row.int64(9)] ?? []
            return status
        }
    }

    private static let spendByDay = SQL(
        """
        SELECT day, sum(calls), \(moneySum("cost")), \(moneySum("saved")), sum(cache_hits), sum(input_tokens),
            sum(output_tokens), sum(cache_write_tokens), sum(cache_read_tokens), \(moneySum("unconfirmed_cost"))
        FROM spend
        GROUP BY day
        ORDER BY day DESC
        LIMIT 31
        """)

    static func spend(_ connection: Connection) throws -> [Spend] {
        try connection.query(spendByDay) { row in
            let usage = Usage(
                inputTokens: row.int64(5), outputTokens: row.int64(6), cacheWriteTokens: row.int64(7),
                cacheReadTokens: row.int64(8))
            return Spend(
                day: String(Timestamp(milliseconds: row.int64(0) * 86_400_000).text.prefix(10)),
                calls: row.int(1),
                cost: Money(nanodollars: row.int64(2)), saved: Money(nanodollars: row.int64(3)),
                cacheHits: row.int(4),
                usage: usage, unconfirmedCost: Money(nanodollars: row.int64(9)))
        }
    }

    /// Rows are only ever deleted from the old end, so the ids tell nearly how many there are without counting.
    ///
    /// Both ends in one SELECT would be looked for by reading all of them: https://sqlite.org/optoverview.html#minmax
    static func answers(_ connection: Connection) throws -> Int {
        try connection.queryOne(
            "SELECT coalesce((SELECT max(id) FROM answer) - (SELECT min(id) FROM answer) + 1, 0)",
            [], { row in row.int(0) }) ?? 0
    }

    static func oldestReady(_ connection: Connection) throws -> Timestamp? {
        let oldest = try ReadyLane.all(connection).compactMap { lane in
            try connection.queryOne(
                "SELECT created_at FROM job WHERE ready = 1 AND lane_id = ?1 ORDER BY rank, id LIMIT 1",
                [.integer(lane.id)], { row in row.int64(0) })
        }
        return oldest.min().map { Timestamp(milliseconds: $0) }
    }
}
