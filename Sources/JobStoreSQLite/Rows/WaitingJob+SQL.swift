import Jobs
import SQLite
import StoreRules

extension WaitingJob {
    static func load(_ id: Int64, _ connection: Connection) throws -> WaitingJob? {
        try connection.queryOne(
            """
            SELECT job.id, job.lane_id, job.rank, lane.queue_id, lane.route_id, lane.budget, job.failures, job.fallback,
                lane.kind, lane.owner, lane.sealed,
                job.request_bytes, job.max_tokens, job.worst_input_tokens, job.cache_writes, job.worst_searches,
                job.held_until, job.run_at, job.held_hash IS NOT NULL, job.held_hash IS job.prefix_hash
            FROM job
            JOIN lane ON lane.id = job.lane_id
            WHERE job.id = ?1
            """, [.integer(id)]
        ) { row in WaitingJob(row) }
    }

    private init(_ row: borrowing Row) {
        self.init(
            id: row.int64(0), lane: row.int64(1), rank: row.int64(2), queue: row.int64(3),
            route: row.int64(4), tags: LaneBudget.tags(of: row.text(5)), call: CallFacts(row, from: 11),
            hold: Hold(row, from: 16), failures: row.int(6), position: row.int(7),
            isHalfPrice: LaneKind(rawValue: row.text(8)) == .halfPrice, owner: row.int64OrNil(9),
            isSealed: row.bool(10))
    }
}

extension WaitingJob.Hold {
    /// Until when, the job's time, whether it waits for a hash, and whether that is its prefix's; nil if the job is not held.
    fileprivate init?(_ row: borrowing Row, from first: Int) {
        guard let until = row.int64OrNil(first) else { return nil }
        let cause: Cause = !row.bool(first + 2) ? .time : row.bool(first + 3) ? .prefix : .prompt
        self.init(
            until: Timestamp(milliseconds: until), isRunTime: until == row.int64(first + 1), cause: cause)
    }
}

extension CallFacts {
    /// Bytes, output limit, input tokens, cache writes and web searches, in this order.
    fileprivate init(_ row: borrowing Row, from first: Int) {
        self.init(
            requestBytes: row.int(first), maxTokens: row.int(first + 1),
            bound: CostBound(
                inputTokens: row.int64OrNil(first + 2),
                writes: CostBound.CacheWrites(rawValue: row.int(first + 3)) ?? .oneHour,
                webSearches: row.int64OrNil(first + 4)))
    }
}
