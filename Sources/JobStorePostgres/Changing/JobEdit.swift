package import Jobs
import Postgres
import StoreRules

extension PostgresJobStore {
    package func cancel(_ id: JobID) async throws -> ChangeOutcome {
        try await write { context in try JobEdit(context).cancel(id.value) }
    }

    package func cancelIfQueued(_ id: JobID) async throws -> ChangeOutcome {
        try await write { context in try JobEdit(context).cancel(id.value, onlyIfQueued: true) }
    }

    package func cancel(_ filter: JobFilter, after: JobID?, limit: Int) async throws -> MassChange {
        try await write { context in
            let ids = try Search(filter, in: [.queued, .running, .review], context.access)
                .ids(.ascending, behind: after, limit: limit)
            let changed = try JobEdit(context).cancel(ids)
            return MassChange(count: changed, last: ids.last.map { JobID($0) })
        }
    }

    package func retry(_ id: JobID, change: RetryChange) async throws -> ChangeOutcome {
        try await write { context in
            var edit = JobEdit(context)
            let outcome = try edit.retry(id.value, change)
            try edit.resumeEmptiedLanes()
            return outcome
        }
    }

    package func retry(
        _ filter: JobFilter, change: RetryChange, after: JobID?, limit: Int
    ) async throws -> MassChange {
        try await write { context in
            let ids = try Search(filter, in: RetryKind.states(change), context.access)
                .ids(.ascending, behind: after, limit: limit)
            var edit = JobEdit(context)
            // Those whose results are published, and will be read again, are refused.
            let changed = try edit.retry(ids, change)
            try edit.resumeEmptiedLanes()
            return MassChange(count: changed, last: ids.last.map { JobID($0) })
        }
    }
}

/// Cancelling and retrying: one job, or a portion whose rows are loaded together.
struct JobEdit {
    let context: WriteContext
    /// Lanes that jobs have left for another route, with what they are.
    private var leftLanes: [Int64: LanePlace] = [:]

    init(_ context: WriteContext) {
        self.context = context
    }

    // MARK: Cancelling

    func cancel(_ id: Int64, onlyIfQueued: Bool = false) throws -> ChangeOutcome {
        try cancel(JobRecord.find(id, context.access), onlyIfQueued: onlyIfQueued)
    }

    /// Returns how many it cancelled.
    func cancel(_ ids: [Int64]) throws -> Int {
        let jobs = try JobRecord.find(ids, context.access)
        try context.loadRows(ids)
        return try jobs.count { job in try cancel(job) == .changed }
    }

    private func cancel(_ job: JobRecord?, onlyIfQueued: Bool = false) throws -> ChangeOutcome {
        var delta = Delta()
        let outcome = delta.cancel(job, onlyIfQueued: onlyIfQueued)
        try context.apply(delta)
        return outcome
    }

    // MARK: Retrying

    mutating func retry(_ id: Int64, _ change: RetryChange) throws -> ChangeOutcome {
        guard let job = try JobRecord.find(id, context.access) else { return .unknown }
        return try retry([job], change) == 1 ? .changed : .refused(job.state)
    }

    /// Returns how many it changed.
    mutating func retry(_ ids: [Int64], _ change: RetryChange) throws -> Int {
        try retry(JobRecord.find(ids, context.access), change)
    }

    private mutating func retry(_ jobs: [JobRecord], _ change: RetryChange) throws -> Int {
        var loader = try RetryLoader(context, change)
        let edited = try loader.edited(jobs)
        for portion in edited.portions {
            let snapshots = try loader.snapshots(portion)
            try context.loadRows(portion.map(\.job.id))
            for (snapshot, edited) in zip(snapshots, portion) { try apply(snapshot, edited.kind, change) }
        }
        return edited.count
    }

    private mutating func apply(
        _ snapshot: RetrySnapshot, _ kind: RetryKind, _ change: RetryChange
    ) throws {
        let job = snapshot.job
        let decided = try RetryRules(snapshot, change).decide(kind)
        try context.apply(decided.delta)
        guard let left = decided.left else { return }
        leftLanes[left == job.place ? job.lane : try context.laneID(of: left)] = left
    }

    /// What was held back goes on once the last ready job has left the lane that was refused.
    func resumeEmptiedLanes() throws {
        guard !leftLanes.isEmpty else { return }
        let emptied = try context.query(.emptyLanes, [.integerArray(leftLanes.keys.sorted())])
            .compactMap { row in leftLanes[try row.int64(0)] }
        try context.apply { delta in
            for place in emptied { delta.add(.liftStreaks(queue: place.queue, route: place.route)) }
        }
    }
}

extension Statement {
    /// Those that have no ready job, but for what must run alone.
    fileprivate static let emptyLanes = Statement(
        "empty-lanes",
        assembled: """
            SELECT lane.id
            FROM unnest($1::bigint[]) AS lane (id)
            LEFT JOIN LATERAL (
                SELECT job_id
                FROM waiting
                WHERE lane_id = lane.id AND held_until IS NULL AND crash_count < \(Poison.aloneAfter)
                ORDER BY rank, job_id
                LIMIT 1
            ) AS head ON true
            WHERE head.job_id IS NULL
            """, [.bigints], isKept: true)
}
