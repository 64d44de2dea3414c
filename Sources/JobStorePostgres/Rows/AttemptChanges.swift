import Jobs
import Postgres
import StoreRules

/// What a transaction opens and closes of attempts, to be written many in one statement.
struct AttemptChanges {
    struct Opened {
        var attempt: NewAttempt
        var openedAt: Int64
        var windows: [Int64]
        var providerBatch: Int64?
    }

    struct Closed {
        var key: AttemptKey
        var status: Attempt.Status
        var verdict: String
        var counted: Bool
        var closedAt: Int64
        var usage: Usage?
        var cost: Int64
        /// Nil for all that was reserved.
        var unconfirmedCost: Int64?
        var callMilliseconds: Int64?
        var requestID: String?
        var error: [UInt8]?
        /// Whether it was written off before.
        var isLate: Bool
    }

    private(set) var opened: [Opened] = []
    private(set) var closed: [Closed] = []
    /// Attempts that were written off before, as far as they were read.
    var late: Set<AttemptKey> = []

    mutating func open(_ attempt: Opened) { opened.append(attempt) }
    mutating func close(_ attempt: Closed) { closed.append(attempt) }

    mutating func write(_ context: WriteContext) {
        if !opened.isEmpty { context.run(.insertFlight, Self.columns(opened)) }
        let inTime = closed.filter { !$0.isLate }
        let late = closed.filter(\.isLate)
        if !inTime.isEmpty { context.run(.closeAttempts, Self.columns(inTime) + [.integer(inTime.count)]) }
        if !late.isEmpty { context.run(.closeLateAttempts, Self.columns(late) + [.integer(late.count)]) }
        opened = []
        closed = []
    }

    private static func columns(_ opened: [Opened]) -> [Value] {
        func integers(_ value: (Opened) -> Int64?) -> Value { .integers(opened.map(value)) }
        return [
            integers { $0.attempt.key.job.value }, integers { Int64($0.attempt.key.number) },
            integers(\.attempt.worker), integers(\.attempt.choice.route), integers(\.attempt.home),
            integers { Int64($0.attempt.choice.position) },
            .texts(opened.map(\.attempt.choice.cause?.rawValue)), integers(\.attempt.queue),
            integers(\.openedAt), integers(\.attempt.leaseUntil.milliseconds),
            .byteStrings(opened.map(\.attempt.promptHash)), .reals(opened.map(\.attempt.need.input)),
            .reals(opened.map(\.attempt.need.output)), integers(\.attempt.worstCase.nanodollars),
            .texts(opened.map { windowText($0.windows) }), .reals(opened.map(\.attempt.marks.requests)),
            .reals(opened.map(\.attempt.marks.input)), .reals(opened.map(\.attempt.marks.output)),
            integers { Int64($0.attempt.marks.succeeded) }, integers(\.providerBatch),
        ]
    }

    /// An array as PostgreSQL reads it from text: columns of arrays cannot be of different lengths.
    private static func windowText(_ windows: [Int64]) -> String {
        "{" + windows.map(String.init).joined(separator: ",") + "}"
    }

    private static func columns(_ closed: [Closed]) -> [Value] {
        func integers(_ value: (Closed) -> Int64?) -> Value { .integers(closed.map(value)) }
        return [
            integers(\.key.job.value), integers { Int64($0.key.number) },
            .texts(closed.map(\.status.rawValue)),
            .texts(closed.map(\.verdict)), .bools(closed.map(\.counted)), integers(\.closedAt),
            integers { $0.usage?.inputTokens }, integers { $0.usage?.outputTokens },
            integers { $0.usage?.cacheWriteTokens }, integers { $0.usage?.cacheWrite1hTokens },
            integers { $0.usage?.cacheReadTokens }, integers(\.cost), integers(\.unconfirmedCost),
            integers(\.callMilliseconds), .texts(closed.map(\.requestID)), .byteStrings(closed.map(\.error)),
        ]
    }
}

extension Statement {
    fileprivate static let insertFlight = Statement(
        "insert-flight",
        """
        INSERT INTO flight (
            job_id, number, worker_id, route_id, home_route_id, fallback, fallback_cause, queue_id, opened_at, lease_until,
            prompt_hash, reserved_input, reserved_output, reserved_cost, budget_windows, mark_requests, mark_input, mark_output,
            mark_succeeded, provider_batch_id
        )
        SELECT
            job_id, number, worker_id, route_id, home_route_id, fallback, fallback_cause, queue_id, opened_at, lease_until,
            prompt_hash, reserved_input, reserved_output, reserved_cost, budget_windows::bigint[], mark_requests, mark_input,
            mark_output, mark_succeeded, provider_batch_id
        FROM unnest(
            $1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::bigint[],
            $9::bigint[], $10::bigint[], $11::bytea[], $12::double precision[], $13::double precision[], $14::bigint[],
            $15::text[], $16::double precision[], $17::double precision[], $18::double precision[], $19::bigint[], $20::bigint[]
        ) AS new (
            job_id, number, worker_id, route_id, home_route_id, fallback, fallback_cause, queue_id, opened_at, lease_until,
            prompt_hash, reserved_input, reserved_output, reserved_cost, budget_windows, mark_requests, mark_input, mark_output,
            mark_succeeded, provider_batch_id
        )
        """, .bigints, .bigints, .bigints, .bigints, .bigints, .bigints, .texts, .bigints, .bigints, .bigints,
        .byteas, .doubles, .doubles, .bigints, .texts, .doubles, .doubles, .doubles, .bigints, .bigints)

    private static let closing = """
        unnest(
            $1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::boolean[], $6::bigint[], $7::bigint[], $8::bigint[],
            $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::text[], $16::bytea[]
        ) AS new (
            job_id, number, status, verdict, counted, closed_at, input_tokens, output_tokens, cache_write_tokens,
            cache_write_1h_tokens, cache_read_tokens, cost, unconfirmed_cost, call_milliseconds, request_id, error
        )
        """
    private static let closingTypes: [ValueType] = [
        .bigints, .bigints, .texts, .texts, .bools, .bigints, .bigints, .bigints, .bigints, .bigints,
        .bigints, .bigints, .bigints, .bigints, .texts, .byteas,
    ]

    fileprivate static let closeAttempts = Statement(
        "close-attempts",
        assembled: """
            WITH gone AS (
                DELETE FROM flight
                USING \(closing)
                WHERE flight.job_id = new.job_id AND flight.number = new.number
                RETURNING
                    flight.*, new.status, new.verdict, new.counted, new.closed_at, new.input_tokens, new.output_tokens,
                    new.cache_write_tokens, new.cache_write_1h_tokens, new.cache_read_tokens, new.cost, new.unconfirmed_cost,
                    new.call_milliseconds, new.request_id, new.error
            ), closed AS (
                INSERT INTO attempt (
                    job_id, number, worker_id, route_id, home_route_id, fallback, fallback_cause, queue_id, status, verdict, counted,
                    opened_at, lease_until, closed_at, prompt_hash, reserved_input, reserved_output, reserved_cost,
                    budget_windows, mark_requests, mark_input, mark_output, mark_succeeded, input_tokens, output_tokens,
                    cache_write_tokens, cache_write_1h_tokens, cache_read_tokens, cost, unconfirmed_cost, call_milliseconds,
                    request_id, error, provider_batch_id
                )
                SELECT
                    job_id, number, worker_id, route_id, home_route_id, fallback, fallback_cause, queue_id, status, verdict, counted,
                    opened_at, lease_until, closed_at, prompt_hash, reserved_input, reserved_output, reserved_cost,
                    budget_windows, mark_requests, mark_input, mark_output, mark_succeeded, input_tokens, output_tokens,
                    cache_write_tokens, cache_write_1h_tokens, cache_read_tokens, cost,
                    coalesce(unconfirmed_cost, reserved_cost), call_milliseconds, request_id, error, provider_batch_id
                FROM gone
                RETURNING job_id
            )
            SELECT \(failing(unless: "count(*) = $17::bigint")) FROM closed
            """, closingTypes + [.bigint], isKept: true)

    fileprivate static let closeLateAttempts = Statement(
        "close-late-attempts",
        assembled: """
            WITH closed AS (
                UPDATE attempt
                SET status = new.status, verdict = new.verdict, counted = new.counted, closed_at = new.closed_at,
                    input_tokens = new.input_tokens, output_tokens = new.output_tokens,
                    cache_write_tokens = new.cache_write_tokens, cache_write_1h_tokens = new.cache_write_1h_tokens,
                    cache_read_tokens = new.cache_read_tokens, cost = new.cost,
                    unconfirmed_cost = coalesce(new.unconfirmed_cost, attempt.reserved_cost),
                    call_milliseconds = new.call_milliseconds, request_id = new.request_id, error = new.error
                FROM \(closing)
                WHERE attempt.job_id = new.job_id AND attempt.number = new.number AND attempt.status = 'written_off'
                RETURNING attempt.job_id
            )
            SELECT \(failing(unless: "count(*) = $17::bigint")) FROM closed
            """, closingTypes + [.bigint], isKept: true)
}
