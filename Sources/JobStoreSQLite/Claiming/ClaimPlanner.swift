package import Jobs
import SQLite

extension SQLiteJobStore {
    /// Where it looks first, over a reading connection, no lock is taken for nothing.
    package func claim(_ request: ClaimRequest, now: Now) async throws -> Claim {
        guard request.slots > 0 else { return Claim() }
        let settings = settings
        if request.looksFirst {
            let workCheck = try await read { connection in
                try WorkCheck(connection, request: request, now: now, settings: settings).quickCheck()
            }
            guard workCheck.hasWork else { return Claim(wakeAfter: workCheck.wakeAfter) }
        }
        return try await write(now: now) { context in
            var planner = try ClaimPlanner(context, request: request)
            return try planner.run()
        }
    }
}

/// One claim inside its transaction: moves what is due, draws from open lanes, and opens attempts.
struct ClaimPlanner {
    /// Jobs that become ready in one claim because their time has come.
    static let dueLimit = 500
    /// Attempts opened in one claim: some milliseconds of the write lock, however many slots are free.
    static let attemptLimit = 256
    /// Jobs settled from the cache, held or failed in one claim, on top of the slots filled.
    static let asideLimit = 500
    /// Shares that are left to other lines in one claim, so that it is short whatever the limits and the weights: where a
    /// limit binds, fewer use it up.
    static let leaveLimit = 256
    /// Jobs of another line that are read at a time, and ready jobs of one lane that must run alone.
    private static let fewHeads = 16
    /// How long a job held under a prompt hash waits before it looks for itself.
    static let holdLimit: Milliseconds = 600_000
    /// For how long a job is laid aside that left its own route and finds the next one closed.
    static let lentPause: ClosedRange<Milliseconds> = 200...5_000

    let context: WriteContext
    let request: ClaimRequest
    var now: Now { context.now }
    var connection: Connection { context.connection }
    private var claim = Claim()
    private var lanes: [OpenLane] = []
    private var routes: [Int64: RouteRow] = [:]
    private var queues: [Int64: QueueRow] = [:]
    private var scheduler = FairScheduler()
    private var reserved = ReservedShares()
    /// What this claim changed, and so writes back.
    private var touched: (routes: Set<Int64>, queues: Set<Int64>) = ([], [])
    private var asides = 0
    /// Shares that were left to jobs of other lines.
    private var left = 0
    private var book: BudgetBook
    /// Whether jobs are on their way to other lanes, as budgets have changed: each is looked at before it is taken.
    private let lanesChange: Bool
    /// The keys of this worker that are refused.
    private var refusedKeys: [ServiceKey: CredentialRow]

    /// A lane that still gives jobs, with those that were fetched from it.
    private struct OpenLane {
        let id: Int64
        let queue: Int64
        let route: Int64
        let tags: [String]
        /// Whether its jobs are this worker's to take; those of other lines are only left their share.
        let isMine: Bool
        let isInteractive: Bool
        var candidates: ArraySlice<Candidate> = []
        /// The last job that was left its share: each gets one.
        var last: Candidate?
        var isExhausted = false

        /// How many turns a job of it counts for less than one of the common line.
        var precedence: Int { isInteractive ? Partition.precedence : 1 }
    }

    init(_ context: WriteContext, request: ClaimRequest) throws {
        self.context = context
        self.request = request
        lanesChange = try LaneMoves.isPending(context.connection)
        book = try BudgetBook.load(
            context.connection, now: context.now.timestamp, prices: context.settings.prices)
        refusedKeys = try CredentialRow.refused(of: request.worker, context.connection)
    }

    mutating func run() throws -> Claim {
        guard try ConfigurationHistory.isInForce(context.settings.configuration, connection) else {
            return Claim()
        }
        try Holds.moveDue(context, limit: Self.dueLimit)
        try Holds.continueReleases(context)
        scheduler = try VirtualTime.load(connection)
        reserved = ReservedShares(scheduler)
        try loadLanes()
        try placeLoners()
        while mayTakeMore, let lane = nextLane() { try take(from: lane) }
        claim.more =
            claim.more || asides >= Self.asideLimit
            || claim.attempts.count == Self.attemptLimit && request.slots > Self.attemptLimit
        for id in touched.routes { try routes[id]?.save(connection) }
        for id in touched.queues { try queues[id]?.save(connection) }
        if !touched.queues.isEmpty { try VirtualTime.save(scheduler, connection) }
        try book.save(connection)
        book.notices.forEach(context.noticed)
        if let due = try WorkCheck.soonestHeld(connection) {
            wake(after: max(0, due - now.timestamp.milliseconds))
        }
        return claim
    }

    private var slots: Int { min(request.slots, Self.attemptLimit) }

    private var mayTakeMore: Bool {
        claim.attempts.count < slots && asides < Self.asideLimit && !claim.drainFirst
            && claim.attempts.last?.alone != true
    }

    // MARK: Lanes

    private mutating func loadLanes() throws {
        for lane in try WorkCheck.readyLanes(connection) {
            let route = try routes[lane.route] ?? RouteRow.load(lane.route, connection)
            guard var route, request.services.contains(route.key.service) else { continue }
            if route.ledger.isOfAnotherBoot(at: now.moment) { touched.routes.insert(lane.route) }
            route.ledger.advance(to: now.moment)
            routes[lane.route] = route
            let queue = try queues[lane.queue] ?? QueueRow.load(lane.queue, connection)
            guard let queue else { continue }
            queues[lane.queue] = queue
            guard !queue.paused else { continue }
            lanes.append(
                OpenLane(
                    id: lane.id, queue: lane.queue, route: lane.route, tags: lane.tags,
                    isMine: lane.isOpen(to: request), isInteractive: lane.owner != nil))
        }
        // With nothing to take there is nothing to leave to others.
        if !lanes.contains(where: \.isMine) { lanes = [] }
    }

    /// The queue whose turn it is, and one of its lanes by lot.
    ///
    /// Whose turn it is goes over from claim to claim, so every queue gets its share also where slots come free one by one.
    private func nextLane() -> Int? {
        let open = lanes.indices.filter { !lanes[$0].isExhausted }
        // With nothing left to take there is nothing to leave to others.
        guard open.contains(where: { lanes[$0].isMine }) else { return nil }
        guard open.count > 1 else { return open.first }
        let waiting = Dictionary(
            open.map { (lanes[$0].queue, reserved.turn(of: lanes[$0].queue, queues)) },
            uniquingKeysWith: { $1 })
        let queue = reserved.scheduler.next(among: waiting)
        let lots = open.filter { lanes[$0].queue == queue }
            .flatMap { Array(repeating: $0, count: lanes[$0].precedence) }
        return lots.randomElement(using: &context.random)
    }

    /// Jobs that must run alone go before all others where nothing runs, and ask for that where something does.
    private mutating func placeLoners() throws {
        for lane in try Candidate.lanesOfLoners(connection) {
            guard let index = lanes.firstIndex(where: { $0.id == lane && $0.isMine }) else { continue }
            for job in try Candidate.loners(of: lane, limit: Self.fewHeads, connection)
            where mayTakeMore && !lanes[index].isExhausted {
                try place(job, lane: index)
            }
        }
    }

    private mutating func take(from index: Int) throws {
        if lanes[index].candidates.isEmpty {
            lanes[index].candidates = try candidates(of: lanes[index])[...]
        }
        guard let candidate = lanes[index].candidates.popFirst() else {
            lanes[index].isExhausted = true
            return
        }
        if lanes[index].isMine {
            try place(candidate, lane: index)
        } else {
            leave(to: candidate, lane: index)
        }
    }

    private func candidates(of lane: OpenLane) throws -> [Candidate] {
        var found = try read(lane)
        for job in found.indices {
            found[job].moneyTokens = context.settings.moneyTokens(
                of: found[job].maxTokens, isInteractive: lane.isInteractive)
        }
        return found
    }

    /// Where one call is to tell for all, it is another job's each time: not one that failed so before.
    private func read(_ lane: OpenLane) throws -> [Candidate] {
        guard lane.isMine else {
            return try Candidate.heads(of: lane.id, behind: lane.last, limit: Self.fewHeads, connection)
        }
        if !lane.isInteractive, queues[lane.queue]?.streaks[lane.route]?.asksOneAtATime == true {
            return try Candidate.last(of: lane.id, connection)
        }
        switch routes[lane.route]?.ledger.gate.passage(at: now.moment) {
        // The first one tells, and mostly nobody follows it.
        case .closed: return try Candidate.heads(of: lane.id, limit: 1, connection)
        case .oneProbe: return try Candidate.leastFailed(of: lane.id, connection)
        case .open, nil:
            let limit = slots - claim.attempts.count + Self.fewHeads
            return try Candidate.heads(of: lane.id, limit: limit, connection)
        }
    }

    /// The lane's queue as its jobs see it.
    private func queue(of lane: OpenLane) -> QueueRow? {
        let queue = queues[lane.queue]
        return lane.isInteractive ? queue?.withoutStreaks : queue
    }

    /// Sets aside what a job of another line needs, as its turn comes before whoever follows in this claim.
    private mutating func leave(to job: Candidate, lane index: Int) {
        lanes[index].last = job
        let lane = lanes[index]
        guard let route = routes[lane.route], let queue = queue(of: lane) else { return }
        left += 1
        if left >= Self.leaveLimit {
            for other in lanes.indices where !lanes[other].isMine { lanes[other].isExhausted = true }
        }
        switch admission(of: job, on: route, in: queue, tags: lane.tags) {
        case .admitted:
            reserved.make(to: job, on: route, in: queue, precedence: lane.precedence, now: now.moment)
        case .refused(.rateLimit, _, let after?):
            wake(after: after)
            close(route: lane.route)
        case .refused:
            lanes[index].isExhausted = true
        }
    }

    private func admission(of job: Candidate, on route: RouteRow, in queue: QueueRow, tags: [String])
        -> RouteLedger.Admission
    {
        if let limit = queue.concurrency, queue.running >= limit {
            return .refused(.concurrency, "", after: nil)
        }
        return reserved.row(of: route).admission(
            of: job, in: queue, tags: tags, book: book, now: now.moment)
    }

    // MARK: One job

    private mutating func place(_ job: Candidate, lane index: Int) throws {
        let lane = lanes[index]
        if lanesChange, try Lanes.move(job.id, context) != nil {
            asides += 1
            claim.more = true
            return
        }
        if let deadline = job.deadline, now.ends(deadline) {
            asides += 1
            try JobCompletion(context).fail(job.id, lane: lane.id, batch: job.batch, .deadlineExceeded)
            return
        }
        let shares = job.cache == .use && context.settings.sharesAnswers
        if shares, try settleFromCache(job, lane: lane) { return }
        if shares, !job.isImpatient, try isInFlight(job, route: lane.route) {
            asides += 1
            try Holds.hold(job.id, until: now.timestamp + Self.holdLimit, under: job.promptHash, connection)
            return
        }
        if let prefix = job.prefix,
            try PromptCacheWarmup.state(of: prefix, route: lane.route, now: now.moment, connection)
                == .awaited
        {
            asides += 1
            try Holds.hold(job.id, until: now.timestamp + Self.holdLimit, under: prefix.hash, connection)
            return
        }
        guard let flight = try admit(job, lane: index) else { return }
        if shares, flight.route != lane.route, try settleFromCache(job, lane: lane, route: flight.route) {
            // Who waits for it on its own route finds the same.
            try Holds.releaseAll(job.promptHash, route: lane.route, connection)
            return
        }
        if job.mustRunAlone, request.running > 0 {
            claim.drainFirst = try Poison.mayEmpty(request.worker, context)
            return
        }
        try open(job, lane: lane, flight)
    }

    private mutating func settleFromCache(_ job: Candidate, lane: OpenLane, route: Int64? = nil) throws
        -> Bool
    {
        guard
            let answer = try CachedAnswer.find(
                job.promptHash, route: route ?? lane.route, now: now.timestamp, connection)
        else { return false }
        // An answer that fails this job's check is none for it: it makes its own call.
        guard try Checks.admits(answer, for: job.id, context) else { return false }
        try JobCompletion(context).succeedFromCache(job.id, lane: lane.id, batch: job.batch, answer)
        asides += 1
        claim.settledFromCache += 1
        return true
    }

    private func isInFlight(_ job: Candidate, route: Int64) throws -> Bool {
        try connection.queryOne(
            """
            SELECT 1
            FROM attempt
            WHERE status = 'open' AND prompt_hash = ?1 AND home_route_id = ?2 AND provider_batch_id IS NULL
            LIMIT 1
            """, [.blob(job.promptHash), .integer(route)], { row in row.int(0) }) != nil
    }

    /// Asks the gates; one that refuses closes its lane for this claim, never the claim.
    private mutating func admit(_ job: Candidate, lane index: Int) throws -> RouteChoice? {
        let lane = lanes[index]
        guard let route = routes[lane.route], let queue = queue(of: lane) else { return nil }
        if let limit = queue.concurrency, queue.running >= limit {
            lanes[index].isExhausted = true
            return nil
        }
        let chains = context.settings.fallbacks
        if let error = try book.refusal(
            of: job, from: route.key, chains, queue: queue.name, tags: lane.tags, connection)
        {
            asides += 1
            try JobCompletion(context).fail(job.id, lane: lane.id, batch: job.batch, error)
            return nil
        }
        let choice = try chains.choose(from: job.position, of: route.key) { key in
            guard let id = try routeID(key, home: route), let route = routes[id] else { return nil }
            if let closure = refusedKeys[key.service]?.closure(at: now.moment) { return closure }
            return reserved.row(of: route).admission(
                of: job, in: queue, tags: lane.tags, book: book, now: now.moment)
        }
        switch choice {
        case .fly(let position, let cause):
            let key = chains.route(at: position, of: route.key)
            guard let id = try routeID(key, home: route) else { return nil }
            return RouteChoice(route: id, position: position, cause: cause ?? job.cause)
        case .wait(_, _, let after) where job.position > 0:
            // Its lane may be open to others.
            asides += 1
            let pause = Self.lentPause
            let until = now.timestamp + min(pause.upperBound, max(pause.lowerBound, after ?? 1000))
            try Holds.hold(job.id, until: until, under: nil, connection)
            return nil
        case .wait(let gate, _, let after):
            if let after { wake(after: after) }
            if gate == .rateLimit { close(route: lane.route) }
            lanes[index].isExhausted = true
            return nil
        }
    }

    /// Whose turn it is waits for the limit, and nobody overtakes: small calls would take for ever what a large one saves
    /// up for.
    private mutating func close(route: Int64) {
        for index in lanes.indices where lanes[index].route == route { lanes[index].isExhausted = true }
    }

    /// The number of a route of a chain, loaded; nil where this worker cannot call it.
    private mutating func routeID(_ key: RouteKey, home: RouteRow) throws -> Int64? {
        if key == home.key { return home.id }
        guard request.services.contains(key.service) else { return nil }
        if let known = routes.values.first(where: { $0.key == key }) { return known.id }
        guard var route = try RouteRow.load(context.routeID(key), connection) else { return nil }
        if route.ledger.isOfAnotherBoot(at: now.moment) { touched.routes.insert(route.id) }
        route.ledger.advance(to: now.moment)
        routes[route.id] = route
        return route.id
    }

    private mutating func open(_ job: Candidate, lane: OpenLane, _ flight: RouteChoice) throws {
        guard var route = routes[flight.route], var queue = queues[lane.queue],
            let line = self.queue(of: lane)?.line(on: flight.route)
        else { return }
        let need = route.ledger.need(requestBytes: job.requestBytes, maxTokens: job.maxTokens)
        let admission = route.ledger.admission(of: need, in: line, now: now.moment)
        let isProbe = admission == .admitted(asProbe: true)
        let learnsLimits = !route.ledger.isLearned
        let marks = route.ledger.open(need, asProbe: isProbe, now: now.moment)
        queue.running += 1
        if !lane.isInteractive { queue.streaks.took(on: flight.route) }
        try noteProbe(of: route.key.service)
        reserved.take(need, on: route.id, in: queue, precedence: lane.precedence, now: now.moment)
        queue.turn = scheduler.take(at: queue.turn, weight: queue.weight * lane.precedence)
        touched.routes.insert(flight.route)
        touched.queues.insert(lane.queue)
        routes[flight.route] = route
        queues[lane.queue] = queue
        let call = BudgetBook.Call(job, route: route.key, queue: queue.name, tags: lane.tags)
        let (worstCase, windows) = try book.reserve(for: call, connection)
        let attempt = NewAttempt(
            job: job.id, number: job.attempt + 1, worker: request.worker.value, route: flight.route,
            home: lane.route, flight: flight, queue: lane.queue, leaseUntil: now.moment + request.lease,
            promptHash: job.cache == .off || !context.settings.sharesAnswers ? nil : job.promptHash,
            need: need, worstCase: worstCase, windows: windows, marks: marks)
        try attempt.insert(context)
        try noteWriter(of: job, lane: lane, flight)
        context.moved(lane: lane.id, batch: job.batch, from: .queued, to: .running)
        guard let sent = try SentRequest.load(job.id, connection) else { return }
        var claimed = ClaimedAttempt(
            key: AttemptKey(job: JobID(job.id), number: attempt.number), queue: queue.name, route: route.key,
            request: try flight.request(sent, for: route.key), maxTokens: job.maxTokens,
            openedAt: now.timestamp,
            leaseUntil: attempt.leaseUntil, deadline: job.deadline, failures: job.failures,
            alone: job.mustRunAlone)
        claimed.check = sent.check
        claimed.isKeyed = sent.isKeyed
        claimed.betas = sent.betas
        claimed.isProbe = isProbe
        claimed.learnsLimits = learnsLimits
        claim.attempts.append(claimed)
    }

    /// A call with a key that is refused tries whether it still is.
    private mutating func noteProbe(of service: ServiceKey) throws {
        guard var key = refusedKeys[service] else { return }
        try key.probeSent(at: now.moment, connection)
        refusedKeys[service] = key
    }

    /// The first of those that share a prefix writes it for all.
    private func noteWriter(of job: Candidate, lane: OpenLane, _ flight: RouteChoice) throws {
        guard let prefix = job.prefix else { return }
        // On another route it writes nothing that those who wait on this one could read.
        guard flight.route == lane.route else {
            return try Holds.releaseFirst(prefix.hash, route: lane.route, connection)
        }
        guard try PromptCacheWarmup.state(of: prefix, route: lane.route, now: now.moment, connection) == .cold
        else {
            return
        }
        let key = AttemptKey(job: JobID(job.id), number: job.attempt + 1)
        try PromptCacheWarmup.write(prefix, route: lane.route, by: key, now: now.moment, connection)
    }

    private mutating func wake(after delay: Milliseconds) {
        claim.wakeAfter = min(claim.wakeAfter ?? .max, delay)
    }
}
