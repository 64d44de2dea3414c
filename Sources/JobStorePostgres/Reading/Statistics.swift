package import Jobs
import Postgres
import StoreRules

extension PostgresJobStore {
    package func stats() async throws -> Stats { try await readStats() }
}

extension ListSource {
    func readStats() async throws -> Stats {
        let budgets = try await budgets()
        let (now, settings) = (now(), settings)
        return try await readShared { access in
            let totals = try WaitingTotals(access, now: now, settings: settings)
            let queues = try Queues.find(access, totals: totals)
            let routes = try Routes.find(access, now: now, totals: totals)
            let lanes = try ReadyLane.all(access).map(\.id)
            var counts = StateCounts()
            for queue in queues {
                for state in JobState.allCases { counts[state] += queue.counts[state] }
            }
            let answers = try access.query([
                Call(.workerList, WorkerLiveness.values(now.moment)), Call(.spendByRecentDay),
                Call(.answerCount), Call(.oldestReady, [.integerArray(lanes)]),
            ])
            return Stats(
                counts: counts, queues: queues, routes: routes,
                workers: try Statistics.workers(answers[0], now: now, access),
                spend: try answers[1].map { row in try Spend(row) },
                answers: try answers[2].first?.int(0) ?? 0,
                oldestReady: try answers[3].first?.timestampOrNil(0), budgets: budgets)
        }
    }
}

private enum Statistics {
    static func workers(_ rows: Rows, now: Now, _ access: Access) throws -> [WorkerStatus] {
        let remedies = try KeyHolder.remedies(access)
        return try rows.map { row in
            let seen = Moment(epoch: DatabaseTime.epoch, milliseconds: try row.int64(3))
            var status = WorkerStatus(
                name: try row.text(0), slots: try row.int(1), running: try row.int(4),
                startedAt: try row.timestamp(2), seenAt: try row.timestamp(3),
                alive: WorkerLiveness.isAlive(seenAt: seen, now: now.moment))
            status.isSuperseded = try row.bool(5)
            status.refusedKeys = remedies[try row.int64(6)] ?? []
            return status
        }
    }
}

extension Spend {
    fileprivate init(_ row: Row) throws {
        self.init(
            day: String(Timestamp(milliseconds: try row.int64(0) * Timestamp.day).text.prefix(10)),
            calls: try row.int(1), cost: Money(nanodollars: try row.int64(2)),
            saved: Money(nanodollars: try row.int64(3)), cacheHits: try row.int(4),
            usage: Usage(
                inputTokens: try row.int64(5), outputTokens: try row.int64(6),
                cacheWriteTokens: try row.int64(7), cacheReadTokens: try row.int64(8)),
            unconfirmedCost: Money(nanodollars: try row.int64(9)))
    }
}

extension Statement {
    /// Of serving processes only those that something is wrong with.
    fileprivate static let workerList = Statement(
        "worker-list",
        """
        SELECT worker.name, worker.slots, worker.started_at, worker.seen_at, (
            SELECT count(*) FROM flight WHERE flight.worker_id = worker.id
        ), worker.superseded, worker.id
        FROM worker
        WHERE NOT worker.stopped AND (
            NOT worker.is_interactive
            OR (worker.seen_at > $1::bigint AND (worker.superseded OR EXISTS (
                SELECT 1
                FROM worker_service
                JOIN credential ON credential.id = worker_service.credential_id
                WHERE worker_service.worker_id = worker.id AND credential.refused
            )))
        )
        ORDER BY worker.id DESC
        LIMIT 100
        """, .bigint)

    private static let spendSums = [
        "calls", "cost", "saved", "cache_hits", "input_tokens", "output_tokens", "cache_write_tokens",
        "cache_read_tokens", "unconfirmed_cost",
    ].map(boundedSum).joined(separator: ", ")

    /// From one day with spending to the one before it: years of others are not read.
    fileprivate static let spendByRecentDay = Statement(
        "spend-by-recent-day",
        assembled: """
            WITH RECURSIVE recent (day, number) AS (
                SELECT (SELECT max(day) FROM spend), 1
                UNION ALL
                SELECT (SELECT max(spend.day) FROM spend WHERE spend.day < recent.day), recent.number + 1
                FROM recent
                WHERE recent.day IS NOT NULL AND recent.number < 31
            )
            SELECT day, \(spendSums)
            FROM spend
            WHERE day >= (SELECT min(day) FROM recent)
            GROUP BY day
            ORDER BY day DESC
            """, isKept: true)

    /// Nearly: numbers that were not used, or whose answers are deleted, are counted too.
    fileprivate static let answerCount = Statement(
        "answer-count",
        "SELECT coalesce((SELECT max(id) FROM answer) - (SELECT min(id) FROM answer) + 1, 0)")

    fileprivate static let oldestReady = Statement(
        "oldest-ready",
        """
        SELECT min(job.created_at)
        FROM unnest($1::bigint[]) AS wanted (lane)
        CROSS JOIN LATERAL (
            SELECT job_id
            FROM waiting
            WHERE held_until IS NULL AND lane_id = wanted.lane
            ORDER BY rank, job_id
            LIMIT 1
        ) AS head
        JOIN job ON job.id = head.job_id
        """, .bigints)
}
