import Jobs
import SQLite

/// A ready job at the head of its lane: what the claim needs to place it, without its bodies.
struct Candidate {
    let id: Int64
    let rank: Int64
    let attempt: Int
    let failures: Int
    let crashCount: Int
    let cache: CacheMode
    let maxTokens: Int
    /// The output for which budgets must have the money.
    var moneyTokens: Int
    let requestBytes: Int
    let promptHash: [UInt8]
    let deadline: Timestamp?
    let batch: Int64?
    /// Where the job stands in its route's chain of fallbacks.
    let position: Int
    let cause: Fallback.Cause?
    /// Whether it waits for no identical call.
    let isImpatient: Bool
    let bound: CostBound
    let maxCost: Money?
    let prefix: CachePrefix?

    var mustRunAlone: Bool { crashCount >= Poison.aloneAfter }

    private static let columns = """
        id, attempt, failures, crash_count, cache, max_tokens, request_bytes, prompt_hash, deadline, batch_id, lane_id,
        fallback, fallback_cause, skip_coalescing,
        worst_input_tokens, cache_writes, max_cost, prefix_hash, prefix_lifetime, worst_searches, rank
        """
    private static let headsOfLane = SQL(
        """
        SELECT \(columns)
        FROM job
        WHERE ready = 1 AND lane_id = ?1 AND crash_count < \(Poison.aloneAfter) AND (rank, id) > (?3, ?4)
        ORDER BY rank, id
        LIMIT ?2
        """)
    private static let lastOfLane = SQL(
        """
        SELECT \(columns)
        FROM job
        WHERE ready = 1 AND lane_id = ?1 AND crash_count < \(Poison.aloneAfter)
        ORDER BY rank DESC, id DESC
        LIMIT 1
        """)
    private static let leastFailedOfLane = SQL(
        """
        SELECT \(columns)
        FROM job
        WHERE id IN (
            SELECT id
            FROM job
            WHERE ready = 1 AND lane_id = ?1 AND crash_count < \(Poison.aloneAfter)
            ORDER BY rank, id
            LIMIT 500
        )
        ORDER BY failures, rank, id
        LIMIT 1
        """)
    private static let mustRunAlone = SQL(
        """
        SELECT \(columns)
        FROM job
        WHERE ready = 1 AND lane_id = ?1 AND crash_count >= \(Poison.aloneAfter)
        ORDER BY rank, id
        LIMIT ?2
        """)
    private static let lanesOfLoners = SQL(
        """
        WITH RECURSIVE alone (lane_id) AS (
            SELECT (SELECT min(lane_id) FROM job WHERE ready = 1 AND crash_count >= \(Poison.aloneAfter))
            UNION ALL
            SELECT (
                SELECT min(job.lane_id)
                FROM job
                WHERE job.ready = 1 AND job.crash_count >= \(Poison.aloneAfter) AND job.lane_id > alone.lane_id
            )
            FROM alone
            WHERE alone.lane_id IS NOT NULL
        )
        SELECT lane_id FROM alone WHERE lane_id IS NOT NULL
        """)

    /// The first ready jobs of a lane, or the first behind another of it.
    static func heads(
        of lane: Int64, behind other: Candidate? = nil, limit: Int, _ connection: Connection
    ) throws -> [Candidate] {
        try connection.query(
            headsOfLane,
            [
                .integer(lane), .integer(limit), .integer(other?.rank ?? .min),
                .integer(other?.id ?? .min),
            ]
        ) { row in Candidate(row) }
    }

    /// The one that came last: of the ready jobs that which has least in common with those at the head.
    static func last(of lane: Int64, _ connection: Connection) throws -> [Candidate] {
        try connection.query(lastOfLane, [.integer(lane)]) { row in Candidate(row) }
    }

    /// Of the first ready jobs the one that failed least often.
    static func leastFailed(of lane: Int64, _ connection: Connection) throws -> [Candidate] {
        try connection.query(leastFailedOfLane, [.integer(lane)]) { row in Candidate(row) }
    }

    /// The lanes that have ready jobs which must run alone.
    static func lanesOfLoners(_ connection: Connection) throws -> [Int64] {
        try connection.query(lanesOfLoners) { row in row.int64(0) }
    }

    /// The first ready jobs of a lane that must run alone.
    static func loners(of lane: Int64, limit: Int, _ connection: Connection) throws -> [Candidate] {
        try connection.query(mustRunAlone, [.integer(lane), .integer(limit)]) { row in Candidate(row) }
    }

    private init(_ row: borrowing Row) {
        id = row.int64(0)
        rank = row.int64(20)
        attempt = row.int(1)
        failures = row.int(2)
        crashCount = row.int(3)
        cache = CacheMode(rawValue: row.text(4)) ?? .off
        maxTokens = row.int(5)
        moneyTokens = maxTokens
        requestBytes = row.int(6)
        promptHash = row.blob(7)
        deadline = row.int64OrNil(8).map { Timestamp(milliseconds: $0) }
        batch = row.int64OrNil(9)
        position = row.int(11)
        isImpatient = row.bool(13)
        cause = row.textOrNil(12).flatMap(Fallback.Cause.init(rawValue:))
        bound = CostBound(
            inputTokens: row.int64OrNil(14), writes: CostBound.CacheWrites(rawValue: row.int(15)) ?? .oneHour,
            webSearches: row.int64OrNil(19))
        maxCost = row.int64OrNil(16).map { Money(nanodollars: $0) }
        prefix = CachePrefix(row, from: 17)
    }
}

/// An attempt about to be opened.
struct NewAttempt {
    let job: Int64
    let number: Int
    let worker: Int64
    /// The route it flies on, and the job's own.
    let route: Int64
    let home: Int64
    let flight: RouteChoice
    let queue: Int64
    let leaseUntil: Moment
    /// Nil where the call is not to be shared.
    let promptHash: [UInt8]?
    let need: RouteLedger.Need
    let worstCase: Money
    /// The budget windows that hold the worst case.
    let windows: String?
    let marks: RouteLedger.Marks
    /// Nil for a call of its own.
    var providerBatch: Int64?

    func insert(_ context: WriteContext) throws {
        let now = context.now
        _ = try context.connection.run(
            """
            UPDATE job
            SET state = 'running', ready = 0, attempt = ?2, started_at = coalesce(started_at, ?3)
            WHERE id = ?1
            """, [.integer(job), .integer(number), .integer(now.timestamp.milliseconds)])
        _ = try context.connection.run(
            """
            INSERT INTO attempt (
                job_id, number, worker_id, route_id, queue_id, opened_at, opened_moment, boot, lease_until,
                prompt_hash, reserved_input, reserved_output, reserved_cost, mark_requests, mark_input, mark_output,
                mark_succeeded, home_route_id, fallback, fallback_cause, budget_windows, provider_batch_id
            )
            VALUES (
                ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22
            )
            """,
            [
                .integer(job), .integer(number), .integer(worker), .integer(route), .integer(queue),
                .integer(now.timestamp.milliseconds), .integer(now.moment.milliseconds),
                .integer(now.moment.boot),
                .integer(leaseUntil.milliseconds), .blob(promptHash), .real(need.input), .real(need.output),
                .integer(worstCase.nanodollars), .real(marks.requests), .real(marks.input),
                .real(marks.output),
                .integer(marks.succeeded), .integer(home), .integer(flight.position),
                .text(flight.cause?.rawValue), .text(windows), .integer(providerBatch),
            ])
    }
}

/// A job that outlives worker after worker is suspected of killing them.
enum Poison {
    /// After so many deaths a job runs with no neighbours.
    ///
    /// The index `job_alone` says the same number.
    static let aloneAfter = 3
    /// After so many more it fails.
    static let failAfter = 13
    /// A worker that was told to empty itself has so long before another is told.
    static let patience: Milliseconds = 60_000

    /// Whether this worker is the one to empty itself: one at a time, so that a poison prompt slows no fleet.
    static func mayEmpty(_ worker: WorkerID, _ context: WriteContext) throws -> Bool {
        let now = context.now.moment
        let other = try context.connection.queryOne(
            """
            SELECT 1
            FROM worker
            WHERE emptying > ?1 AND id <> ?2 AND stopped = 0 AND seen_boot = ?3
            LIMIT 1
            """, [.integer(now.milliseconds), .integer(worker.value), .integer(now.boot)],
            { row in row.int(0) })
        guard other == nil else { return false }
        _ = try context.connection.run(
            "UPDATE worker SET emptying = ?2 WHERE id = ?1",
            [.integer(worker.value), .integer(now.milliseconds + patience)])
        return true
    }
}

/// Beta features as they stand in their column.
enum Betas {
    static func list(_ text: String?) -> [String] {
        text.map { $0.split(separator: ",").map(String.init) } ?? []
    }
}
