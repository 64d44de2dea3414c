import Jobs
import SQLite
import StoreRules

extension Candidate {
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
    private static let newestOfLane = SQL(
        """
        SELECT \(columns)
        FROM job
        WHERE ready = 1 AND lane_id = ?1 AND crash_count < \(Poison.aloneAfter)
        ORDER BY rank DESC, id DESC
        LIMIT ?2
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
        LIMIT ?2
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

    static func newest(of lane: Int64, limit: Int, _ connection: Connection) throws -> [Candidate] {
        try connection.query(newestOfLane, [.integer(lane), .integer(limit)]) { row in Candidate(row) }
    }

    static func leastFailed(of lane: Int64, limit: Int, _ connection: Connection) throws -> [Candidate] {
        try connection.query(leastFailedOfLane, [.integer(lane), .integer(limit)]) { row in Candidate(row) }
    }

    static func lanesOfLoners(_ connection: Connection) throws -> [Int64] {
        try connection.query(lanesOfLoners) { row in row.int64(0) }
    }

    static func loners(of lane: Int64, limit: Int, _ connection: Connection) throws -> [Candidate] {
        try connection.query(mustRunAlone, [.integer(lane), .integer(limit)]) { row in Candidate(row) }
    }

    private init(_ row: borrowing Row) {
        self.init(
            id: row.int64(0), rank: row.int64(20), attempt: row.int(1), failures: row.int(2),
            crashCount: row.int(3), cache: CacheMode(rawValue: row.text(4)) ?? .off,
            promptHash: row.blob(7), deadline: row.int64OrNil(8).map { Timestamp(milliseconds: $0) },
            batch: row.int64OrNil(9), position: row.int(11),
            cause: row.textOrNil(12).flatMap(Fallback.Cause.init(rawValue:)), skipsCoalescing: row.bool(13),
            maxCost: row.int64OrNil(16).map { Money(nanodollars: $0) }, prefix: CachePrefix(row, from: 17),
            call: CallFacts(
                requestBytes: row.int(6), maxTokens: row.int(5),
                bound: CostBound(
                    inputTokens: row.int64OrNil(14),
                    writes: CostBound.CacheWrites(rawValue: row.int(15)) ?? .oneHour,
                    webSearches: row.int64OrNil(19))))
    }
}

extension CachePrefix {
    /// Out of two columns; nil if the job has none.
    init?(_ row: borrowing Row, from first: Int) {
        guard let hash = row.blobOrNil(first), let lifetime = row.int64OrNil(first + 1) else { return nil }
        self.init(hash: hash, lifetime: lifetime)
    }
}
