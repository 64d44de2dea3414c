import Jobs
import Postgres
import StoreRules

extension WriteContext {
    private var time: Int64 { now.timestamp.milliseconds }

    func finish(_ finish: JobFinish) throws {
        let answer = try keep(finish.answer)
        try end(finish.job, .succeeded) { row in
            row.answer = answer
            row.attemptsCounted = Int64(finish.attemptsCounted)
            row.cost = row.cost.addingSaturated(finish.cost)
            row.error = nil
        }
    }

    func serve(_ job: Int64, _ answer: CachedAnswer) throws {
        try loadRows([job])
        if let former = rows[job]?.answer { decrementUses(of: former) }
        incrementUses(of: answer.id)
        try end(job, .succeeded) { row in
            row.answer = answer.id
            row.isCached = true
            row.saved = answer.cost
            row.startedAt = row.startedAt ?? time
            row.error = nil
        }
    }

    func end(_ job: Int64, _ state: JobState, _ error: JobError?) throws {
        try end(job, state) { row in
            row.error = error.map(ErrorText.write)
            row.errorType = state == .failed ? error?.type : nil
        }
    }

    func end(_ job: Int64, _ state: JobState, _ change: (inout JobRow) -> Void) throws {
        try self.change(job) { row in
            row.place = .ended(state)
            row.finishedAt = time
            row.finishOrder = nil
            change(&row)
        }
    }

    func requeue(_ requeue: JobRequeue) throws {
        let isReady = requeue.heldUntil == nil
        try change(requeue.job) { row in
            row.place = .waiting(until: requeue.heldUntil?.milliseconds, under: nil)
            row.attemptsCounted = Int64(requeue.attemptsCounted)
            row.failures += isReady ? 0 : 1
            row.cost = row.cost.addingSaturated(requeue.cost)
            row.error = requeue.error.map(ErrorText.write) ?? row.error
        }
    }

    func putBack(_ job: Int64, crashed: Bool) throws {
        try change(job) { row in
            row.place = .waiting(until: nil, under: nil)
            row.crashCount += crashed ? 1 : 0
        }
    }

    func count(_ job: Int64, attempts: Int, cost: Int64) throws {
        try change(job) { row in
            row.attemptsCounted = Int64(attempts)
            row.cost = row.cost.addingSaturated(cost)
        }
    }

    func blame(_ job: Int64, _ blame: JobBlame, isForgiven: Bool) throws {
        try change(job) { row in
            row.blame = blame
            row.forgiven += isForgiven ? 1 : 0
        }
    }

    func fallBack(_ job: Int64, to position: Int, _ cause: Fallback.Cause) throws {
        try change(job) { row in (row.position, row.cause) = (Int64(position), cause.rawValue) }
    }

    func leaveChain(_ job: Int64) throws {
        try change(job) { row in (row.position, row.cause) = (0, nil) }
    }

    /// To the lane of that place, with its tallies.
    func move(_ move: JobMove) throws {
        let lane = try laneID(of: move.place)
        try change(move.job) { row in row.lane = lane }
        tallies.moved(from: move.from, to: lane, state: move.state)
    }

    func hold(_ job: Int64, until: Timestamp, under hash: [UInt8]?) throws {
        try change(job) { row in row.place = .waiting(until: until.milliseconds, under: hash) }
    }

    /// A running job whose answer failed its check.
    func follow(_ job: Int64, _ state: JobState, _ error: JobError) throws {
        try change(job) { row in
            row.place = state == .queued ? .waiting(until: nil, under: nil) : .review
            row.error = ErrorText.write(error)
            row.blame = nil
        }
    }

    /// Written with the other rows.
    func delete(_ job: Int64) {
        rows.delete(job)
        deleted.append(job)
    }

    func writeDeletions() {
        guard !deleted.isEmpty else { return }
        for statement in Statement.deletePlaces { run(statement, [.integerArray(deleted)]) }
        deleteUnplaced(deleted)
        deleted = []
    }
}

extension Statement {
    fileprivate static let deletePlaces = [
        Statement("delete-places-waiting", "DELETE FROM waiting WHERE job_id = ANY ($1::bigint[])", .bigints),
        Statement("delete-places-running", "DELETE FROM running WHERE job_id = ANY ($1::bigint[])", .bigints),
        Statement("delete-places-ended", "DELETE FROM ended WHERE job_id = ANY ($1::bigint[])", .bigints),
        Statement("delete-places-flight", "DELETE FROM flight WHERE job_id = ANY ($1::bigint[])", .bigints),
    ]
}
