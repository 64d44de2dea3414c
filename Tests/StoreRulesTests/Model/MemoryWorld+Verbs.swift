import Jobs
import StoreRules

// What needs no decision of the rules: written as the store writes it.
extension MemoryWorld {
    @discardableResult
    mutating func enqueue(_ new: NewRow, place: LanePlace) -> Int64 {
        let id = newJobID()
        let lane = laneID(of: place)
        let runAt = now.timestamp + new.delay
        var job = JobRow(
            id: id, lane: lane, rank: Rank.of(createdAt: now.timestamp, priority: new.priority),
            maxAttempts: new.maxAttempts, cache: new.cache, maxTokens: new.maxTokens, maxCost: new.maxCost,
            tags: new.tags, runAt: runAt, deadline: new.deadline.map { now.timestamp + $0 },
            request: new.request, check: new.check)
        job.isReady = new.delay == 0
        job.heldUntil = new.delay == 0 ? nil : runAt
        jobs.append(job)
        unfinished.append(jobs.count - 1)
        tallies.moved(lane: lane, batch: nil, from: nil, to: .queued)
        return id
    }

    /// A failed or cancelled job begins again; with a change, one that is queued gets the change alone.
    mutating func retry(_ id: Int64, _ change: RetryChange) throws {
        let job = jobRecord(id)
        guard let kind = RetryKind(job, change, isPublished: false) else { return }
        var snapshot = RetrySnapshot(job: job, laneBudget: laneBudget())
        let hasMoved = self[job: id].request.next != nil
        if kind == .reopen, let check = self[job: id].check {
            snapshot.check = RetrySnapshot.CheckStart(route: check.home, hasMoved: hasMoved)
        }
        if !change.isEmpty || snapshot.check?.hasMoved == true { snapshot.sent = self[job: id].sent }
        for route in [job.place.route, snapshot.check?.route].compactMap(\.self) {
            snapshot.services[route] = self.route(route).state.key.service
        }
        apply(
            try RetryRules(snapshot, change).decide(kind).delta, Applying(now: now, looked: commits))
    }

    /// A person takes the answer, or rejects it.
    mutating func review(_ id: Int64, approves: Bool) throws {
        guard self[job: id].state == .review, let answer = self[job: id].answer else { return }
        var delta = Delta()
        try delta.review(
            jobRecord(id), answer: answer, message: nil, approves ? .approve : .reject, note: nil)
        apply(delta, Applying(now: now, looked: commits))
    }

    mutating func renew(_ keys: [AttemptKey], lease: Milliseconds) {
        for key in keys where self[attempt: key].status == .open {
            self[attempt: key].leaseUntil = now.moment + lease
        }
    }

    mutating func advance(_ time: Milliseconds) {
        now.timestamp = now.timestamp + time
        now.moment = now.moment + time
    }

    /// Queued jobs whose time for a provider batch is over go to the ordinary lane.
    mutating func leaveHalfPrice(_ id: Int64) {
        let job = self[job: id]
        guard job.state == .queued, lane(job.lane).kind == .halfPrice else { return }
        var place = lane(job.lane)
        place.leaveHalfPrice()
        move(JobMove(job: id, from: job.lane, state: .queued, place: place))
        if job.heldHash != nil { ready(id, true) }
    }
}

/// A job that comes in.
struct NewRow: Sendable {
    var request: RequestRow
    var maxTokens = 10
    var priority = 0
    var maxAttempts = 3
    var cache = CacheMode.use
    var maxCost: Money?
    var tags: [String] = []
    var check: CheckRow?
    var delay: Milliseconds = 0
    var deadline: Milliseconds?
}
