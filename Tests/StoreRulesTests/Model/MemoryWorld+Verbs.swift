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

    /// A failed or cancelled job begins anew.
    mutating func retry(_ id: Int64) {
        let old = self[job: id]
        guard old.state == .failed || old.state == .cancelled else { return }
        self[job: id].state = .queued
        ready(id, true)
        self[job: id].endings -= 1
        self[job: id].attemptsCounted = 0
        self[job: id].failures = 0
        self[job: id].crashCount = 0
        self[job: id].forgiven = 0
        self[job: id].blame = nil
        self[job: id].position = 0
        self[job: id].cause = nil
        self[job: id].skipsCoalescing = false
        self[job: id].answer = nil
        self[job: id].deadline = nil
        self[job: id].check?.used = 0
        self[job: id].check?.passed = nil
        self[job: id].runAt = now.timestamp
        unfinished.append(Self.place(of: id))
        tallies.moved(lane: old.lane, batch: nil, from: old.state, to: .queued)
        beginAgain(id)
        var place = lane(old.lane)
        place.leaveInteractiveLane()
        place.budget = laneBudget().name(of: old.tags)
        if old.request.next != nil, let check = old.check {
            let service = route(check.home).state.key.service
            place.move(to: check.home, ofTheSameService: service == route(place.route).state.key.service)
        }
        if place != lane(old.lane) {
            move(JobMove(job: id, from: old.lane, state: .queued, place: place))
        }
    }

    private mutating func beginAgain(_ id: Int64) {
        var sent = self[job: id].sent
        guard case .request(_, let change, let facts)? = try? sent.beginAgain() else { return }
        request(of: id, change, facts)
    }

    /// A person takes the answer, or rejects it.
    mutating func review(_ id: Int64, approves: Bool) {
        guard self[job: id].state == .review else { return }
        guard approves else {
            var delta = Delta()
            let error = JobError(type: "rejected", message: "", retryable: true)
            delta.end(jobRecord(id).identity, from: .review, .failed, error)
            return apply(delta, Applying(now: now, looked: commits))
        }
        tallies.moved(lane: self[job: id].lane, batch: nil, from: .review, to: .succeeded)
        end(id, .succeeded)
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
