import JSON
package import Jobs
import SQLite

extension SQLiteJobStore {
    package func cancel(_ id: JobID, now: Now) async throws -> ChangeOutcome {
        try await write(now: now) { context in try JobEdit(context).cancel(id.value) }
    }

    package func cancelIfQueued(_ id: JobID, now: Now) async throws -> ChangeOutcome {
        try await write(now: now) { context in
            let state = try StoredJob.find(id.value, context.connection)?.state
            guard state == .queued else { return state.map { .refused($0) } ?? .unknown }
            return try JobEdit(context).cancel(id.value)
        }
    }

    package func cancel(
        _ filter: JobFilter, after: JobID?, limit: Int, now: Now
    ) async throws -> MassChange {
        try await write(now: now) { context in
            let change = JobEdit(context)
            let ids = try Search(filter, in: [.queued, .running, .review], context.connection)
                .ids(.ascending, behind: after, limit: limit)
            let changed = try ids.count { id in try change.cancel(id) == .changed }
            return MassChange(count: changed, last: ids.last.map { JobID($0) })
        }
    }

    package func retry(_ id: JobID, change: RetryChange, now: Now) async throws -> ChangeOutcome {
        try await write(now: now) { context in
            var edit = JobEdit(context)
            let outcome = try edit.retry(id.value, change)
            try edit.resumeMendedQueues()
            return outcome
        }
    }

    package func retry(
        _ filter: JobFilter, change: RetryChange, after: JobID?, limit: Int, now: Now
    ) async throws -> MassChange {
        try await write(now: now) { context in
            let states: [JobState] = [.failed, .cancelled] + (change.isEmpty ? [] : [.queued])
            let ids = try Search(filter, in: states, context.connection)
                .ids(.ascending, behind: after, limit: limit)
            var edit = JobEdit(context)
            // Those whose results are published, and will be read again, are refused.
            let changed = try ids.count { id in try edit.retry(id, change) == .changed }
            try edit.resumeMendedQueues()
            return MassChange(count: changed, last: ids.last.map { JobID($0) })
        }
    }
}

/// Cancelling and retrying, one job at a time.
struct JobEdit {
    let context: WriteContext
    /// Lanes that mended jobs have left, by their queues.
    private var leftLanes: [Int64: Set<Int64>] = [:]
    var connection: Connection { context.connection }

    init(_ context: WriteContext) {
        self.context = context
    }

    /// A running job is cancelled at once: its worker finds the attempt revoked, aborts the call and settles the money.
    func cancel(_ id: Int64) throws -> ChangeOutcome {
        guard let job = try StoredJob.find(id, connection) else { return .unknown }
        guard !job.state.isTerminal else { return .refused(job.state) }
        try JobCompletion(context).end(id, .cancelled, error: nil)
        context.moved(lane: job.lane, batch: job.batch, from: job.state, to: .cancelled)
        return .changed
    }

    /// Reopens a failed or cancelled job with a fresh count, as one that may run from now on; its history stays.
    ///
    /// A job that is still queued is only mended: it keeps its place and its time.
    mutating func retry(_ id: Int64, _ change: RetryChange) throws -> ChangeOutcome {
        guard let job = try StoredJob.find(id, connection) else { return .unknown }
        if job.state == .queued, !change.isEmpty {
            try update(id, change)
            try freeFollowers(of: job, context)
            return .changed
        }
        guard job.state == .failed || job.state == .cancelled,
            try !MessageBatches.isClosed(job.batch, connection)
        else { return .refused(job.state) }
        if let place = job.finishOrder { try context.advanceFloor(place: place) }
        _ = try connection.run(
            """
            UPDATE job
            SET state = 'queued', ready = 1, attempts_counted = 0, failures = 0, crash_count = 0, error = NULL,
                error_type = NULL, blame_route_id = NULL, blame_mark = NULL, forgiven = 0,
                fallback = 0, fallback_cause = NULL, skip_coalescing = 0,
                answer_id = NULL, deadline = NULL, finished_at = NULL, finish_order = NULL, run_at = ?2
            WHERE id = ?1
            """, [.integer(id), .integer(context.now.timestamp.milliseconds)])
        context.moved(lane: job.lane, batch: job.batch, from: job.state, to: .queued)
        try Checks.beginAgain(job, context)
        // Nobody waits for it in a process, and its batch has ended.
        try Lanes.move(id, context) { place in
            place.leaveInteractiveLane()
            place.batch = nil
        }
        if !change.isEmpty { try update(id, change) }
        return .changed
    }

    /// Another model or limit: another request, another prompt hash, perhaps another lane.
    private mutating func update(_ job: Int64, _ change: RetryChange) throws {
        guard var sent = try SentRequest.load(job, connection) else { return }
        try sent.change(context) { request in try change.applied(to: request) }
        if let route = change.route {
            let name = change.requestedModel.flatMap { $0 == route.model ? nil : $0 }
            _ = try connection.run(
                "UPDATE job_body SET requested_model = ?2 WHERE job_id = ?1", [.integer(job), .text(name)])
            try moveLane(job, to: route)
        }
        if let maxTokens = change.maxTokens {
            _ = try connection.run(
                "UPDATE job SET max_tokens = ?2 WHERE id = ?1", [.integer(job), .integer(maxTokens)])
        }
        if change.route == nil { try liftHold(of: job) }
        // Whoever waited for an answer to the old prompt looks for one to the new.
        _ = try connection.run(
            """
            UPDATE job
            SET ready = 1, held_until = NULL, held_hash = NULL
            WHERE id = ?1 AND held_hash IS NOT NULL
            """, [.integer(job)])
    }

    /// Somebody may have waited for the call that this job was to make; it stands anew at the head of its own chain.
    private func freeFollowers(of job: StoredJob, _ context: WriteContext) throws {
        _ = try connection.run(
            "UPDATE job SET fallback = 0, fallback_cause = NULL, skip_coalescing = 0 WHERE id = ?1",
            [.integer(job.id)])
        let route = try connection.queryOne(
            "SELECT route_id FROM lane WHERE id = ?1", [.integer(job.lane)], { row in row.int64(0) })
        guard let route else { return }
        try Holds.releaseFirst(job.promptHash, route: route, connection)
        if let prefix = job.prefix { try Holds.releaseFirst(prefix.hash, route: route, connection) }
    }

    private mutating func moveLane(_ job: Int64, to route: RouteKey) throws {
        let left = try Lanes.move(job, to: try context.routeID(route), context)
        if let left { leftLanes[left.place.queue, default: []].insert(left.lane) }
        // A retry begins on the route that was asked for last.
        _ = try connection.run(
            """
            UPDATE job_check
            SET first_lane_id = (SELECT job.lane_id FROM job WHERE job.id = ?1)
            WHERE job_id = ?1
            """, [.integer(job)])
    }

    /// What was held back goes on once the last ready job has left the lane that was refused.
    func resumeMendedQueues() throws {
        for (queue, lanes) in leftLanes {
            for lane in lanes where try Candidate.heads(of: lane, limit: 1, connection).isEmpty {
                try liftHold(of: queue, lane: lane)
            }
        }
    }

    /// It is another request now, on the same route.
    private func liftHold(of job: Int64) throws {
        guard let place = try Lanes.standing(of: job, connection)?.place else { return }
        try Streaks.delete(of: place.queue, on: place.route, connection)
    }

    private func liftHold(of queue: Int64, lane: Int64) throws {
        let route = try connection.queryOne(
            "SELECT route_id FROM lane WHERE id = ?1", [.integer(lane)], { row in row.int64(0) })
        if let route { try Streaks.delete(of: queue, on: route, connection) }
    }
}

extension RetryChange {
    /// The request with the other model and limit.
    fileprivate func applied(to request: JSON) throws -> [UInt8] {
        var request = request
        if let route {
            var model = JSONWriter()
            model.string(route.model)
            request = try JSON.parse(request.replacing("model", with: model.bytes), maxDepth: JSON.deepest)
        }
        if let maxTokens {
            request = try JSON.parse(
                request.replacing("max_tokens", with: Array("\(maxTokens)".utf8)), maxDepth: JSON.deepest)
        }
        return Array(request.raw)
    }
}
