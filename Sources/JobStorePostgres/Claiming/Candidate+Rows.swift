import Jobs
import Postgres
import StoreRules

/// A ready job as a claim reads it, with its row and with what the cache has for it.
struct ReadyJob {
    let lane: Int64
    let candidate: Candidate
    let row: JobRow
    let hasCheck: Bool
    let answer: CachedAnswer?
    /// Whether a call of its own is under way for the same prompt.
    let isInFlight: Bool
    /// Nil if they were not asked for.
    let tags: [String]?

    init(_ row: Row) throws {
        let first = JobRow.columnCount + 1
        lane = try row.int64(0)
        self.row = try JobRow(row, from: 1)
        candidate = Candidate(
            id: self.row.id, rank: try row.int64(first), attempt: Int(self.row.attempt),
            failures: Int(self.row.failures), crashCount: Int(self.row.crashCount),
            cache: CacheMode(rawValue: try row.text(first + 1)) ?? .off, promptHash: try row.bytes(first + 2),
            deadline: try row.timestampOrNil(first + 3), batch: try row.int64OrNil(first + 4),
            position: Int(self.row.position), cause: self.row.cause.flatMap(Fallback.Cause.init(rawValue:)),
            skipsCoalescing: self.row.skipsCoalescing,
            maxCost: try row.int64OrNil(first + 5).map { Money(nanodollars: $0) },
            prefix: try CachePrefix(row, from: first + 6),
            call: CallFacts(
                requestBytes: try row.int(first + 8), maxTokens: try row.int(first + 9),
                bound: CostBound(
                    inputTokens: try row.int64OrNil(first + 10),
                    writes: CostBound.CacheWrites(rawValue: try row.int(first + 11)) ?? .oneHour,
                    webSearches: try row.int64OrNil(first + 12))))
        hasCheck = try row.bool(first + 13)
        answer = try row.int64OrNil(first + 14).map { id in
            CachedAnswer(id: id, cost: try row.int64(first + 15), createdAt: try row.timestamp(first + 16))
        }
        isInFlight = try row.bool(first + 17)
        tags = answer == nil ? nil : try row.texts(first + 18).compactMap(\.self)
    }
}

/// Which ready jobs of lanes are read, and how many of each.
enum ReadyJobs {
    case heads(behind: Candidate?)
    case newest
    case leastFailed
    case loners

    /// `lanes` with their routes.
    func call(_ lanes: [(lane: Int64, route: Int64)], limit: Int, now: Timestamp) -> Call {
        var values: [Value] = [
            .integers(lanes.map { $0.lane }), .integers(lanes.map { $0.route }), .integer(limit),
            .integer(now.milliseconds),
        ]
        switch self {
        case .heads(let other):
            values += [.integer(other?.rank ?? .min), .integer(other?.id ?? .min)]
            return Call(.readyHeads, values)
        case .newest: return Call(.readyNewest, values)
        case .leastFailed: return Call(.readyLeastFailed, values)
        case .loners: return Call(.readyLoners, values)
        }
    }
}

extension Statement {
    /// The columns of `waiting`, in the order of `JobRow.columns`.
    private static let place = """
        place.job_id, place.lane_id, 'queued'::text, place.held_until, place.held_hash, place.attempt, place.attempts_counted,
        place.failures, place.crash_count, place.fallback, place.fallback_cause, place.skip_coalescing, place.blame_route_id,
        place.blame_mark, place.forgiven, place.started_at, place.answer_id, place.cost, place.error, NULL::text,
        NULL::bigint, NULL::bigint, false, 0::bigint
        """

    /// Whether a call flies is asked in the statement that asks for answers: asked before it, an answer that came in between would be
    /// missed by both.
    private static func ready(_ source: String) -> String {
        """
        SELECT
            wanted.lane_id, \(place), place.rank, place.cache, place.prompt_hash, place.deadline, place.batch_id, place.max_cost,
            place.prefix_hash, place.prefix_lifetime, place.request_bytes, place.max_tokens, place.worst_input_tokens,
            place.cache_writes, place.worst_searches, place.has_check, answer.id, answer.cost, answer.created_at,
            -- Neither a table of all flights nor the index of leases.
            (
                SELECT true
                FROM flight
                WHERE flight.prompt_hash = place.prompt_hash AND flight.home_route_id = wanted.route_id
                    AND coalesce(flight.provider_batch_id, 0) = 0
                LIMIT 1
            ) IS NOT NULL,
            CASE WHEN answer.id IS NOT NULL THEN ARRAY(
                SELECT tag FROM job_tag WHERE job_tag.job_id = place.job_id ORDER BY tag
            ) END
        FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS wanted (lane_id, route_id, number)
        CROSS JOIN LATERAL (\(source)) AS place
        LEFT JOIN LATERAL (
            SELECT answer.id, answer.cost, answer.created_at
            FROM answer
            WHERE substr(answer.prompt_hash, 1, 8) = substr(place.prompt_hash, 1, 8) AND answer.route_id = wanted.route_id
                AND answer.prompt_hash = place.prompt_hash AND answer.prompt_hash IS NOT NULL
                AND answer.expires_at > $4::bigint
            -- Not by the primary key: it reads all answers, newest first, and a plan made while there were few stays.
            ORDER BY answer.id + 0 DESC
            LIMIT 1
        ) AS answer ON true
        ORDER BY wanted.number, place.place
        """
    }

    private static let types: [ValueType] = [.bigints, .bigints, .bigint, .bigint]

    fileprivate static let readyHeads = Statement(
        "ready-heads",
        assembled: ready(
            """
            SELECT *, row_number() OVER () AS place
            FROM (
                SELECT *
                FROM waiting
                WHERE held_until IS NULL AND lane_id = wanted.lane_id AND crash_count < \(Poison.aloneAfter)
                    AND (rank, job_id) > ($5::bigint, $6::bigint)
                ORDER BY rank, job_id
                LIMIT $3::bigint
            ) AS head
            """), types + [.bigint, .bigint], isKept: true)

    fileprivate static let readyNewest = Statement(
        "ready-newest",
        assembled: ready(
            """
            SELECT *, row_number() OVER () AS place
            FROM (
                SELECT *
                FROM waiting
                WHERE held_until IS NULL AND lane_id = wanted.lane_id AND crash_count < \(Poison.aloneAfter)
                ORDER BY rank DESC, job_id DESC
                LIMIT $3::bigint
            ) AS head
            """), types, isKept: true)

    fileprivate static let readyLeastFailed = Statement(
        "ready-least-failed",
        assembled: ready(
            """
            SELECT *, row_number() OVER (ORDER BY failures, rank, job_id) AS place
            FROM (
                SELECT *
                FROM waiting
                WHERE held_until IS NULL AND lane_id = wanted.lane_id AND crash_count < \(Poison.aloneAfter)
                ORDER BY rank, job_id
                LIMIT 500
            ) AS head
            ORDER BY failures, rank, job_id
            LIMIT $3::bigint
            """), types, isKept: true)

    fileprivate static let readyLoners = Statement(
        "ready-loners",
        assembled: ready(
            """
            SELECT *, row_number() OVER () AS place
            FROM (
                SELECT *
                FROM waiting
                WHERE held_until IS NULL AND lane_id = wanted.lane_id AND crash_count >= \(Poison.aloneAfter)
                ORDER BY rank, job_id
                LIMIT $3::bigint
            ) AS head
            """), types, isKept: true)
}
