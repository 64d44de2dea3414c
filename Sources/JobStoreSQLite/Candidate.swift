import Jobs
import SQLite

/// A ready job at the head of its lane: what the claim needs to place it, without its bodies.
struct Candidate {
    let id: Int64
    let attempt: Int
    let failures: Int
    let deaths: Int
    let cache: CacheMode
    let maxTokens: Int
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

    var mustRunAlone: Bool { deaths >= Poison.aloneAfter }

    private static let columns = """
        id, attempt, failures, deaths, cache, max_tokens, request_bytes, prompt_hash, deadline, batch_id, lane_id,
        fallback, fallback_cause, impatient,
        worst_input_tokens, cache_writes, max_cost, prefix_hash, prefix_lifetime, worst_searches
        """
    private static let headsOfLane = SQL(
        """
        SELECT \(columns)
        FROM job
        WHERE ready = 1 AND lane_id = ?1 AND deaths < \(Poison.aloneAfter)
        ORDER BY rank, id
        LIMIT ?2
        """)
    private static let mustRunAlone = SQL(
        """
        SELECT \(columns)
        FROM job
        WHERE ready = 1 AND deaths >= \(Poison.aloneAfter)
        ORDER BY lane_id, rank, id
        LIMIT 10
        """)

    static func heads(of lane: Int64, limit: Int, _ connection: Connection) throws -> [Candidate] {
        try connection.query(headsOfLane, [.integer(lane), .integer(limit)]) { row in Candidate(row) }
    }

    /// Some of the ready jobs that must run alone, with their lanes.
    static func loners(_ connection: Connection) throws -> [(lane: Int64, job: Candidate)] {
        try connection.query(mustRunAlone) { row in (row.int64(10), Candidate(row)) }
    }

    private init(_ row: borrowing Row) {
        id = row.int64(0)
        attempt = row.int(1)
        failures = row.int(2)
        deaths = row.int(3)
        cache = CacheMode(rawValue: row.text(4)) ?? .off
        maxTokens = row.int(5)
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

    /// What a call needs of its job's bodies.
    struct Call {
        /// What is sent now.
        var request: [UInt8] = []
        /// What the answer must be.
        var check: OpenCheck?
        var isKeyed = false
        var betas: [String] = []
    }

    static func call(of job: Int64, _ connection: Connection) throws -> Call {
        try connection.queryOne(
            """
            SELECT coalesce(job_check.request, job_body.request), job_check.rules, job_check.used,
                job_body.idempotency_key IS NOT NULL, job_body.betas
            FROM job_body
            LEFT JOIN job_check ON job_check.job_id = job_body.job_id
            WHERE job_body.job_id = ?1
            """, [.integer(job)]
        ) { row in
            let rules = row.blobOrNil(1)
            return Call(
                request: row.blob(0), check: rules.map { OpenCheck(rules: $0, used: row.int(2)) },
                isKeyed: row.bool(3), betas: Betas.list(row.textOrNil(4)))
        } ?? Call()
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
    let flight: Flight
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
    var consignment: Int64?

    func insert(_ operation: Operation) throws {
        let now = operation.now
        _ = try operation.connection.run(
            """
            UPDATE job
            SET state = 'running', ready = 0, attempt = ?2, started_at = coalesce(started_at, ?3)
            WHERE id = ?1
            """, [.integer(job), .integer(number), .integer(now.timestamp.milliseconds)])
        _ = try operation.connection.run(
            """
            INSERT INTO attempt (
                job_id, number, worker_id, route_id, queue_id, opened_at, opened_moment, boot, lease_until,
                prompt_hash, reserved_input, reserved_output, reserved_cost, mark_requests, mark_input, mark_output,
                mark_succeeded, home_route_id, fallback, fallback_cause, budget_windows, consignment_id
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
                .text(flight.cause?.rawValue), .text(windows), .integer(consignment),
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
    static func mayEmpty(_ worker: WorkerID, _ operation: Operation) throws -> Bool {
        let now = operation.now.moment
        let other = try operation.connection.queryOne(
            """
            SELECT 1
            FROM worker
            WHERE emptying > ?1 AND id <> ?2 AND stopped = 0 AND seen_boot = ?3
            LIMIT 1
            """, [.integer(now.milliseconds), .integer(worker.value), .integer(now.boot)],
            { row in row.int(0) })
        guard other == nil else { return false }
        _ = try operation.connection.run(
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
