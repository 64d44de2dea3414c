package import Jobs
import SQLite
import StoreRules

extension SQLiteJobStore {
    package func cancel(_ id: JobID) async throws -> ChangeOutcome {
        try await write { context in try JobEdit(context).cancel(id.value) }
    }

    package func cancelIfQueued(_ id: JobID) async throws -> ChangeOutcome {
        try await write { context in try JobEdit(context).cancel(id.value, onlyIfQueued: true) }
    }

    package func cancel(_ filter: JobFilter, after: JobID?, limit: Int) async throws -> MassChange {
        try await write { context in
            let change = JobEdit(context)
            let ids = try Search(filter, in: [.queued, .running, .review], context.connection)
                .ids(.ascending, behind: after, limit: limit)
            let changed = try ids.count { id in try change.cancel(id) == .changed }
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
            let ids = try Search(filter, in: RetryKind.states(change), context.connection)
                .ids(.ascending, behind: after, limit: limit)
            var edit = JobEdit(context)
            // Those whose results are published, and will be read again, are refused.
            let changed = try ids.count { id in try edit.retry(id, change) == .changed }
            try edit.resumeEmptiedLanes()
            return MassChange(count: changed, last: ids.last.map { JobID($0) })
        }
    }
}

/// Cancelling and retrying, one job at a time.
struct JobEdit {
    let context: WriteContext
    /// Lanes that jobs have left for another route, with what they are.
    private var leftLanes: [Int64: LanePlace] = [:]
    var connection: Connection { context.connection }

    init(_ context: WriteContext) {
        self.context = context
    }

    func cancel(_ id: Int64, onlyIfQueued: Bool = false) throws -> ChangeOutcome {
        let job = try JobRecord.find(id, connection)
        var delta = Delta()
        let outcome = delta.cancel(job, onlyIfQueued: onlyIfQueued)
        try context.apply(delta)
        return outcome
    }

    mutating func retry(_ id: Int64, _ change: RetryChange) throws -> ChangeOutcome {
        guard let job = try JobRecord.find(id, connection) else { return .unknown }
        let kind = try RetryKind(
            job, change, isPublished: try MessageBatches.isClosed(job.batch, connection))
        guard let kind else { return .refused(job.state) }
        let decided = try RetryRules(try snapshot(job, kind, change), change).decide(kind)
        try context.apply(decided.delta)
        if let left = decided.left {
            leftLanes[left == job.place ? job.lane : try context.laneID(of: left)] = left
        }
        return .changed
    }

    /// What was held back goes on once the last ready job has left the lane that was refused.
    func resumeEmptiedLanes() throws {
        let emptied = try leftLanes.filter { try Candidate.heads(of: $0.key, limit: 1, connection).isEmpty }
        try context.apply { delta in
            for place in emptied.values {
                delta.add(.liftStreaks(queue: place.queue, route: place.route))
            }
        }
    }

    // MARK: Loading

    private func snapshot(
        _ job: JobRecord, _ kind: RetryKind, _ change: RetryChange
    ) throws -> RetrySnapshot {
        var snapshot = RetrySnapshot(job: job, laneBudget: try LaneBudget.load(connection))
        if kind == .reopen, job.hasCheck { snapshot.check = try checkStart(of: job.id) }
        guard !change.isEmpty || snapshot.check?.hasMoved == true else { return snapshot }
        snapshot.sent = try SentRequest.load(job.id, connection)
        snapshot.route = try change.route.map { try context.routeID($0) }
        for route in [job.place.route, snapshot.check?.route, snapshot.route].compactMap(\.self) {
            snapshot.services[route] = try RouteState.load(route, connection)?.key.service
        }
        return snapshot
    }

    private func checkStart(of job: Int64) throws -> RetrySnapshot.CheckStart? {
        try connection.queryOne(
            """
            SELECT lane.route_id, job_check.request IS NOT NULL
            FROM job_check
            JOIN lane ON lane.id = job_check.first_lane_id
            WHERE job_check.job_id = ?1
            """, [.integer(job)],
            { row in RetrySnapshot.CheckStart(route: row.int64(0), hasMoved: row.bool(1)) })
    }
}
