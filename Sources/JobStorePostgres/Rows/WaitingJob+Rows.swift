import Jobs
import Postgres
import StoreRules

extension WaitingJob {
    /// Of those that are queued.
    static func call(_ ids: [Int64]) -> Call { Call(.waitingJobs, [.integerArray(ids)]) }

    init(_ row: Row) throws {
        self.init(
            id: try row.int64(0), lane: try row.int64(1), rank: try row.int64(2), queue: try row.int64(3),
            route: try row.int64(4), tags: LaneBudget.tags(of: try row.text(5)),
            call: try CallFacts(row, from: 11), hold: try Hold(row, from: 16), failures: try row.int(6),
            position: try row.int(7), isHalfPrice: LaneKind(rawValue: try row.text(8)) == .halfPrice,
            owner: try row.int64OrNil(9), isSealed: try row.bool(10))
    }
}

extension WaitingJob.Hold {
    /// Until when, the job's time, whether it waits for a hash, and whether that is its prefix's; nil if the job is not held.
    fileprivate init?(_ row: Row, from first: Int) throws {
        guard let until = try row.int64OrNil(first) else { return nil }
        let cause: Cause =
            try !row.bool(first + 2) ? .time : row.bool(first + 3) ? .prefix : .prompt
        self.init(
            until: Timestamp(milliseconds: until), isRunTime: try until == row.int64(first + 1), cause: cause)
    }
}

extension CallFacts {
    /// Bytes, output limit, input tokens, cache writes and web searches, in this order.
    fileprivate init(_ row: Row, from first: Int) throws {
        self.init(
            requestBytes: try row.int(first), maxTokens: try row.int(first + 1),
            bound: CostBound(
                inputTokens: try row.int64OrNil(first + 2),
                writes: CostBound.CacheWrites(rawValue: try row.int(first + 3)) ?? .oneHour,
                webSearches: try row.int64OrNil(first + 4)))
    }
}

extension ProviderBatchStanding {
    /// Of those attempts that are out with a batch.
    static func load(
        _ attempts: [AttemptKey], _ access: Access
    ) throws -> [AttemptKey: ProviderBatchStanding] {
        let keys: [Value] = [.integers(attempts.map(\.job.value)), .integers(attempts.map(\.number))]
        return try access.query(.batchesOfAttempts, keys).reduce(into: [:]) { found, row in
            found[AttemptKey(job: JobID(try row.int64(0)), number: try row.int(1))] = ProviderBatchStanding(
                name: try row.textOrNil(2), requests: try row.int(3), recallAt: try row.timestampOrNil(4),
                error: try row.textOrNil(5))
        }
    }
}

extension Statement {
    fileprivate static let waitingJobs = Statement(
        "waiting-jobs",
        """
        SELECT waiting.job_id, waiting.lane_id, waiting.rank, lane.queue_id, lane.route_id, lane.budget, waiting.failures,
            waiting.fallback, lane.kind, lane.owner, lane.sealed, waiting.request_bytes, waiting.max_tokens,
            waiting.worst_input_tokens, waiting.cache_writes, waiting.worst_searches, waiting.held_until, job.run_at,
            waiting.held_hash IS NOT NULL, waiting.held_hash IS NOT DISTINCT FROM waiting.prefix_hash
        FROM waiting
        JOIN lane ON lane.id = waiting.lane_id
        JOIN job ON job.id = waiting.job_id
        WHERE waiting.job_id = ANY ($1::bigint[])
        """, .bigints)
    fileprivate static let batchesOfAttempts = Statement(
        "batches-of-attempts",
        """
        SELECT flight.job_id, flight.number, provider_batch.provider_id, provider_batch.requests, provider_batch.recall_at,
            provider_batch.error
        FROM unnest($1::bigint[], $2::bigint[]) AS wanted (job_id, number)
        JOIN flight ON flight.job_id = wanted.job_id AND flight.number = wanted.number
        JOIN provider_batch ON provider_batch.id = flight.provider_batch_id
        """, .bigints, .bigints)
}
