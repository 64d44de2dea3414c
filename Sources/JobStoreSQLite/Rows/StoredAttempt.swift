import Jobs
import SQLite

/// An attempt's row as its closing needs it.
struct StoredAttempt {
    let job: Int64
    let number: Int
    let route: Int64
    let queue: Int64
    let status: Attempt.Status
    let openedAt: Moment
    /// The same by the calendar: the call has the prices of then, as its reservation did.
    let openedOn: Timestamp
    let promptHash: [UInt8]?
    let need: RouteLedger.Need
    let reservedCost: Int64
    let unconfirmedCost: Int64
    let marks: RouteLedger.Marks
    let windows: String?
    /// The job's own route: who waits for the call waits there.
    let home: Int64
    /// Where in that route's chain it flew; 0 for the route itself.
    let position: Int
    /// With what it went to the provider; nil for a call of its own.
    let providerBatch: Int64?

    private static let columns = """
        job_id, number, route_id, queue_id, status, boot, opened_moment, prompt_hash, reserved_input, reserved_output,
        reserved_cost, unconfirmed_cost, mark_requests, mark_input, mark_output, mark_succeeded, home_route_id,
        fallback, budget_windows, opened_at, provider_batch_id
        """
    private static let byKey = SQL("SELECT \(columns) FROM attempt WHERE job_id = ?1 AND number = ?2")
    private static let expired = SQL(
        """
        SELECT \(columns)
        FROM attempt
        WHERE status = 'open' AND provider_batch_id IS NULL AND (lease_until <= ?1 OR boot <> ?2)
        ORDER BY lease_until
        LIMIT ?3
        """)

    static func find(_ key: AttemptKey, _ connection: Connection) throws -> StoredAttempt? {
        try connection.queryOne(byKey, [.integer(key.job.value), .integer(key.number)]) { row in
            StoredAttempt(row)
        }
    }

    static func expired(at now: Moment, limit: Int, _ connection: Connection) throws -> [StoredAttempt] {
        try connection.query(
            expired, [.integer(now.milliseconds), .integer(now.boot), .integer(limit)]
        ) { row in StoredAttempt(row) }
    }

    private init(_ row: borrowing Row) {
        job = row.int64(0)
        number = row.int(1)
        route = row.int64(2)
        queue = row.int64(3)
        status = Attempt.Status(rawValue: row.text(4)) ?? .settled
        openedAt = Moment(boot: row.int64(5), milliseconds: row.int64(6))
        promptHash = row.blobOrNil(7)
        need = RouteLedger.Need(input: row.double(8), output: row.double(9))
        reservedCost = row.int64(10)
        unconfirmedCost = row.int64(11)
        marks = RouteLedger.Marks(
            requests: row.double(12), input: row.double(13), output: row.double(14), succeeded: row.int(15))
        home = row.int64(16)
        position = row.int(17)
        openedOn = Timestamp(milliseconds: row.int64(19))
        windows = row.textOrNil(18)
        providerBatch = row.int64OrNil(20)
    }

    /// Settles the attempt's row: its verdict, and what was really used.
    func close(
        _ settlement: Settlement, _ resolved: ResolvedVerdict, cost: Int64, unconfirmedCost: Int64,
        _ context: WriteContext
    ) throws {
        let usage = settlement.answer?.usage ?? settlement.usage
        _ = try context.connection.run(
            """
            UPDATE attempt
            SET status = 'settled', verdict = ?3, counted = ?4, closed_at = ?5, input_tokens = ?6, output_tokens = ?7,
                cache_write_tokens = ?8, cache_write_1h_tokens = ?9, cache_read_tokens = ?10, cost = ?11,
                unconfirmed_cost = ?12, call_milliseconds = ?13, request_id = ?14, error = ?15
            WHERE job_id = ?1 AND number = ?2
            """,
            [
                .integer(job), .integer(number), .text(resolved.word), .bool(resolved.counted),
                .integer(context.now.timestamp.milliseconds), .integer(usage?.inputTokens),
                .integer(usage?.outputTokens), .integer(usage?.cacheWriteTokens),
                .integer(usage?.cacheWrite1hTokens), .integer(usage?.cacheReadTokens), .integer(cost),
                .integer(unconfirmedCost), .integer(settlement.callMilliseconds), .text(settlement.requestID),
                .utf8(settlement.verdict.error.map(ErrorText.write)),
            ])
    }
}

extension Verdict {
    /// The error that it carries.
    var error: JobError? {
        switch self {
        case .succeeded, .handedBack: nil
        case .again(_, let error, _), .wait(let error), .failed(let error): error
        case .rejected(let failure): failure.error
        }
    }
}

/// A job's row as its settlement, its cancelling and its retrying need it.
struct StoredJob {
    let id: Int64
    let lane: Int64
    let state: JobState
    let attempt: Int
    let attemptsCounted: Int
    let maxAttempts: Int
    let crashCount: Int
    let batch: Int64?
    let promptHash: [UInt8]
    let requestBytes: Int
    let maxTokens: Int
    let failures: Int
    let finishOrder: Int64?
    let runAt: Timestamp
    let answer: Int64?
    let prefix: CachePrefix?
    /// How many calls had succeeded on a route when the job first failed there, or at its last failure that counted.
    let blame: (route: Int64, mark: Int)?
    /// Failures that were not counted though they may have been paid for.
    let forgiven: Int

    static func find(_ id: Int64, _ connection: Connection) throws -> StoredJob? {
        try connection.queryOne(
            """
            SELECT lane_id, state, attempt, attempts_counted, max_attempts, crash_count, batch_id, prompt_hash, request_bytes,
                finish_order, failures, run_at, answer_id, prefix_hash, prefix_lifetime, blame_route_id, blame_mark,
                forgiven, max_tokens
            FROM job
            WHERE id = ?1
            """, [.integer(id)]
        ) { row in
            StoredJob(
                id: id, lane: row.int64(0), state: JobState(rawValue: row.text(1)) ?? .failed,
                attempt: row.int(2),
                attemptsCounted: row.int(3), maxAttempts: row.int(4), crashCount: row.int(5),
                batch: row.int64OrNil(6),
                promptHash: row.blob(7), requestBytes: row.int(8), maxTokens: row.int(18),
                failures: row.int(10),
                finishOrder: row.int64OrNil(9), runAt: Timestamp(milliseconds: row.int64(11)),
                answer: row.int64OrNil(12), prefix: CachePrefix(row, from: 13),
                blame: row.int64OrNil(15).map { (route: $0, mark: row.int(16)) }, forgiven: row.int(17))
        }
    }
}
