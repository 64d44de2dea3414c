package import Jobs

/// One claim: draws from open lanes by the fair scheduler, asks every gate, and opens attempts.
///
/// Pure but for `reads`, which say what is stored.
package struct ClaimPlanner<Reads: ClaimReads, Random: RandomNumberGenerator> {
    let reads: Reads
    let request: ClaimRequest
    let settings: RuleSettings
    let now: Now
    let lanesChange: Bool
    /// Those of the worker's keys that are refused.
    var keys: [ServiceKey: CredentialState]
    var book: BudgetBook
    var scheduler: FairScheduler
    var reserved: ReservedShares
    var random: Random
    var decision = ClaimDecision()
    var lanes: [OpenLane] = []
    /// What was opened and written by this claim itself.
    var inFlight: Set<PromptOnRoute> = []
    var prefixes: [PromptOnRoute: PrefixState] = [:]
    /// Jobs of other processes' lanes that were left their share.
    var left = 0

    package init(
        _ snapshot: ClaimSnapshot, _ reads: Reads, request: ClaimRequest, settings: RuleSettings, now: Now,
        random: Random
    ) {
        self.reads = reads
        self.request = request
        self.settings = settings
        self.now = now
        self.random = random
        book = snapshot.book
        keys = snapshot.refusedKeys
        lanesChange = snapshot.lanesChange
        scheduler = snapshot.scheduler
        reserved = ReservedShares(snapshot.scheduler)
    }

    /// What a prompt or a prefix waits for.
    struct PromptOnRoute: Hashable {
        let hash: [UInt8]
        let route: Int64
    }

    /// Returns the random source too, as far as it was used.
    package consuming func plan() throws -> (ClaimDecision, Random) {
        try loadLanes()
        try placeLoners()
        while mayTakeMore, let lane = nextLane() { try take(from: lane) }
        decision.more =
            decision.more || decision.asides >= ClaimLimits.asides
            || decision.calls.count == ClaimLimits.attempts && request.slots > ClaimLimits.attempts
        if !decision.rowCache.changed.queues.isEmpty { decision.delta.add(.advance(scheduler)) }
        book.save(&decision.delta)
        return (decision, random)
    }

    var slots: Int { min(request.slots, ClaimLimits.attempts) }

    private var mayTakeMore: Bool {
        decision.calls.count < slots && decision.asides < ClaimLimits.asides && !decision.drainFirst
            && decision.calls.last?.job.runsAlone != true
    }

    // MARK: Lanes

    private mutating func loadLanes() throws {
        for lane in try reads.readyLanes() {
            guard let route = try route(lane.route), request.services.contains(route.key.service),
                let queue = try queue(lane.queue), !queue.paused
            else { continue }
            lanes.append(OpenLane(lane, isMine: lane.isOpen(to: request)))
        }
        // With nothing to take there is nothing to leave to others.
        if !lanes.contains(where: \.isMine) { lanes = [] }
    }

    /// The queue that goes next, and one of its lanes by lot.
    ///
    /// Which one it is goes over from claim to claim, so every queue gets its share also if slots come free one by one.
    private mutating func nextLane() -> Int? {
        let open = lanes.indices.filter { !lanes[$0].isExhausted }
        // With nothing left to take there is nothing to leave to others.
        guard open.contains(where: { lanes[$0].isMine }) else { return nil }
        guard open.count > 1 else { return open.first }
        let waiting = Dictionary(
            open.map {
                (lanes[$0].lane.queue, decision.rowCache.queues[lanes[$0].lane.queue].map(reserved.pass) ?? 0)
            },
            uniquingKeysWith: { $1 })
        let queue = reserved.scheduler.next(among: waiting)
        let lots = open.filter { lanes[$0].lane.queue == queue }
            .flatMap { Array(repeating: $0, count: lanes[$0].precedence) }
        return lots.randomElement(using: &random)
    }

    /// Jobs that must run alone go before all others if nothing runs, and ask for that if something does.
    private mutating func placeLoners() throws {
        for lane in try reads.lanesOfLoners() {
            guard let index = lanes.firstIndex(where: { $0.lane.id == lane && $0.isMine }) else { continue }
            for job in try reads.loners(of: lane, limit: ClaimLimits.fewHeads)
            where mayTakeMore && !lanes[index].isExhausted {
                try place(withMoney(job, of: lanes[index]), lane: index)
            }
        }
    }

    private mutating func take(from index: Int) throws {
        if lanes[index].candidates.isEmpty { try refill(index) }
        guard let candidate = lanes[index].candidates.popFirst() else {
            lanes[index].isExhausted = true
            return
        }
        lanes[index].taken.insert(candidate.id)
        if lanes[index].isMine {
            try place(candidate, lane: index)
        } else {
            leave(to: candidate, lane: index)
        }
    }

    private mutating func refill(_ index: Int) throws {
        let lane = lanes[index]
        let found = try read(lane)
        lanes[index].candidates =
            found.filter { !lane.taken.contains($0.id) }.map { withMoney($0, of: lane) }[...]
        lanes[index].last = found.last ?? lane.last
    }

    private func withMoney(_ job: Candidate, of lane: OpenLane) -> Candidate {
        var job = job
        job.call.moneyTokens = settings.moneyTokens(
            of: job.call.maxTokens, isInteractive: lane.lane.isInteractive)
        return job
    }

    /// If one call is to tell for all, it is another job's each time: not one that failed so before.
    private func read(_ lane: OpenLane) throws -> [Candidate] {
        let id = lane.lane.id
        guard lane.isMine else {
            return try reads.heads(of: id, behind: lane.last, limit: ClaimLimits.fewHeads)
        }
        let streak = decision.rowCache.queues[lane.lane.queue]?.streaks[lane.lane.route]
        if !lane.lane.isInteractive, streak?.asksOneAtATime == true {
            return try reads.newest(of: id, limit: ClaimLimits.fewHeads)
        }
        switch decision.rowCache.routes[lane.lane.route]?.ledger.gate.passage(at: now.moment) {
        // The first one tells, and mostly no other follows it.
        case .closed: return try reads.heads(of: id, behind: lane.last, limit: 1)
        case .oneProbe: return try reads.leastFailed(of: id, limit: ClaimLimits.fewHeads)
        case .open, nil:
            let limit = slots - decision.calls.count + ClaimLimits.fewHeads
            return try reads.heads(of: id, behind: lane.last, limit: limit)
        }
    }

    /// Sets aside what a job of another process's lane needs, as its turn comes before those that follow in this claim.
    private mutating func leave(to job: Candidate, lane index: Int) {
        let lane = lanes[index]
        guard let route = decision.rowCache.routes[lane.lane.route], let gates = gates(of: lane) else {
            return
        }
        left += 1
        if left >= ClaimLimits.leftShares {
            for other in lanes.indices where !lanes[other].isMine { lanes[other].isExhausted = true }
        }
        switch gates.admission(of: job.call, on: reserved.state(of: route)) {
        case .admitted:
            reserved.reserve(
                for: job.call, on: route, in: gates.queue, precedence: lane.precedence, now: now.moment)
        case .refused(.rateLimit, _, let after?):
            decision.wake(after: after)
            close(route: lane.lane.route)
        case .refused:
            lanes[index].isExhausted = true
        }
    }

    /// The job at the head waits for its limit; later jobs on that route do not overtake it: small calls would take for ever
    /// what a large one saves up for.
    mutating func close(route: Int64) {
        for index in lanes.indices where lanes[index].lane.route == route { lanes[index].isExhausted = true }
    }

    func gates(of lane: OpenLane) -> Gates? {
        decision.rowCache.queues[lane.lane.queue].map { queue in
            Gates(
                queue: queue, tags: lane.lane.tags, isInteractive: lane.lane.isInteractive, book: book,
                now: now)
        }
    }

    // MARK: Rows

    private mutating func queue(_ id: Int64) throws -> QueueState? {
        if let known = decision.rowCache.queues[id] { return known }
        guard let queue = try reads.queue(id) else { return nil }
        decision.rowCache.load(queue)
        return queue
    }

    private mutating func route(_ id: Int64) throws -> RouteState? {
        if let known = decision.rowCache.routes[id] { return known }
        return try reads.route(id).map { load($0) }
    }

    /// A route of a chain; nil if this worker cannot call it.
    mutating func route(_ key: RouteKey, home: RouteState) throws -> RouteState? {
        if key == home.key { return decision.rowCache.routes[home.id] }
        guard request.services.contains(key.service) else { return nil }
        if let known = decision.rowCache.routes.values.first(where: { $0.key == key }) { return known }
        return try reads.route(key).map { load($0) }
    }

    /// Refilled up to now.
    private mutating func load(_ route: RouteState) -> RouteState {
        var route = route
        let isOfAnotherBoot = route.ledger.isOfAnotherBoot(at: now.moment)
        route.ledger.advance(to: now.moment)
        if isOfAnotherBoot { decision.rowCache.keep(route) } else { decision.rowCache.load(route) }
        return route
    }
}

/// A lane that still gives jobs, with those that were read from it.
struct OpenLane {
    let lane: ReadyLane
    /// Whether its jobs are this worker's to take; those of other lanes are only left their share.
    let isMine: Bool
    var candidates: ArraySlice<Candidate> = []
    /// Jobs that were taken from it.
    var taken: Set<Int64> = []
    /// The last job that was read: the next ones are behind it.
    var last: Candidate?
    var isExhausted = false

    init(_ lane: ReadyLane, isMine: Bool) {
        self.lane = lane
        self.isMine = isMine
    }

    /// How many turns a job of it counts for less than one of a common lane.
    var precedence: Int { lane.isInteractive ? Partition.precedence : 1 }
}

/// How much one claim does at most, so that it holds the store's lock for some milliseconds only.
package enum ClaimLimits {
    /// Jobs that become ready in one claim because their time has come.
    package static let due = 500
    /// Attempts opened in one claim, however many slots are free.
    static let attempts = 256
    /// Jobs settled from the cache, held or failed in one claim, on top of the slots filled.
    static let asides = 500
    /// Shares left to other processes' lanes; if a limit binds, fewer use it up.
    package static let leftShares = 256
    /// Jobs of another process's lane that are read at a time, and ready jobs of one lane that must run alone.
    static let fewHeads = 16
    /// How long a job held under a prompt hash waits before it looks for itself.
    package static let hold: Milliseconds = 600_000
    /// For how long a job is laid aside that left its own route and finds the next one closed.
    package static let lentPause: ClosedRange<Milliseconds> = 200...5_000
}
