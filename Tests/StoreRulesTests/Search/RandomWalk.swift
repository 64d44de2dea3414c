import Jobs
import StoreRules
import TestSupport

/// A world of three workers, three routes and three queues, and whatever may happen to it, by lot.
struct RandomWalk {
    var engine: Engine
    var random: SeededRandom
    /// What dead workers held: an answer may come after all.
    var lost: [AttemptKey] = []
    /// Jobs under which worker after worker dies.
    var poison: Set<Int64> = []
    /// How often each thing was met: a search that never meets one proves nothing of it.
    var met: [String: Int] = [:]
    /// What was done, if that is to be told.
    var trace: [String]?
    /// How each job was told to stand last.
    var standing: [Int: String] = [:]
    let isPoor: Bool

    init(seed: UInt64, locks: Locks, tracing: Bool = false) {
        random = SeededRandom(seed: seed)
        isPoor = seed.isMultiple(of: 3)
        trace = tracing ? [] : nil
        var settings = RuleSettings(
            cacheTTL: 600_000, fallbacks: seed.isMultiple(of: 2) ? FallbackChains() : World.fallbacks,
            prices: World.prices)
        if seed.isMultiple(of: 5) { settings.interactiveReserveTokens = 6 }
        var terms = HalfPriceTerms(services: [World.service])
        terms.linger = 0
        var world = MemoryWorld(
            now: World.start, settings: settings, terms: terms,
            routes: [
                World.route(0, perMinute: 40), World.route(1, perMinute: nil), World.route(2, perMinute: 90),
            ],
            queues: [
                World.queue("a"), World.queue("b", concurrency: 3, weight: 30), World.queue("c", weight: 300),
            ])
        let limit: Int64 = isPoor ? 3_000 : 300_000
        world.budgets = [
            World.budget("all", limit * 4, window: .day), World.budget("a", limit, scope: .queue("a")),
            World.budget("gold", limit / 2, scope: .tag("gold")),
        ]
        // A budget of all keeps claims of two routes apart, whatever else they lock.
        if !seed.isMultiple(of: 3) { world.budgets.removeFirst(seed.isMultiple(of: 2) ? 1 : 3) }
        world.workers = World.workers([.common, .common, .interactive])
        world.credentials = World.credentials
        engine = Engine(world, locks: locks, seed: seed &+ 1)
    }

    var world: MemoryWorld {
        get { engine.world }
        _modify { yield &engine.world }
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    mutating func any<C: RandomAccessCollection>(_ of: C) -> C.Element? { of.randomElement(using: &random) }

    mutating func note(_ what: (RandomWalk) -> String) {
        guard trace != nil else { return }
        let line = "\(world.now.moment.milliseconds - 1_000_000): \(what(self))"
        trace?.append(line)
    }

    // MARK: Steps

    mutating func step() throws {
        world.advance(.random(in: 0...400, using: &random))
        if !engine.pending.isEmpty, chance(50) { return try commit() }
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<20: enqueue()
        case 20..<45: try claim()
        case 45..<72: try settle()
        case 72..<77: try reap()
        case 77..<79: die()
        case 79..<82: try answerLate()
        case 82..<86: try change()
        case 86: patchQueue()
        case 87..<93: try sendBatches()
        case 93: growBudget()
        case 94..<97: renew()
        case 97: resumeRoutes()
        case 98 where chance(30): wait(.random(in: 60_000...400_000, using: &random))
        default: wait(.random(in: 1_000...40_000, using: &random))
        }
    }

    /// Begins a verb; if a lock is held that it needs, what holds it goes on first.
    @discardableResult
    mutating func act(_ verb: Verb) throws -> Bool {
        guard !engine.locks.store else {
            note { _ in "\(verb.words)" }
            return try engine.run(verb)
        }
        let begun = try engine.begin(verb)
        note { _ in "\(begun ? "begins" : "cannot") \(verb.words)" }
        if !begun, !engine.pending.isEmpty { try commit() }
        return begun
    }

    private mutating func commit() throws {
        let place = Int.random(in: 0..<engine.pending.count, using: &random)
        note { walk in "commits \(walk.engine.pending[place].verb.words)" }
        try engine.commit(place)
    }

    private mutating func wait(_ time: Milliseconds) {
        if chance(20) {
            note { _ in "reboots" }
            world.now.moment = Moment(
                epoch: world.now.moment.epoch + 1, milliseconds: world.now.moment.milliseconds)
            met["boots", default: 0] += 1
        }
        note { _ in "\(time) ms pass" }
        world.advance(time)
    }

    private mutating func claim() throws {
        let worker = Int.random(in: 0..<world.workers.count, using: &random)
        let route = engine.locks.store ? nil : Int64.random(in: 1...3, using: &random)
        try act(.claim(worker: worker, slots: .random(in: 1...6, using: &random), route: route))
    }

    private mutating func reap() throws {
        if chance(40) { wait(31_000) }
        for key in world.open { try act(.reap(key)) }
        for place in world.unfinished {
            guard let deadline = world.jobs[place].deadline, world.now.ends(deadline) else { continue }
            try act(.expire(world.jobs[place].id))
        }
    }

    /// A worker dies: it forgets what it held.
    private mutating func die() {
        guard let worker = any(world.workers.indices) else { return }
        note { walk in "worker \(worker) dies with \(walk.world.workers[worker].holds.count) calls" }
        lost += world.workers[worker].holds
        world.workers[worker].holds = []
        met["deaths", default: 0] += 1
    }

    private mutating func renew() {
        for worker in world.workers.indices {
            world.renew(world.workers[worker].holds, lease: World.lease)
        }
    }

    private mutating func change() throws {
        guard let job = any(world.jobs.suffix(60)), !engine.lockedJobs().contains(job.id) else { return }
        switch job.state {
        // Only what has a request to be changed.
        case .queued where !job.request.own.isEmpty && chance(50):
            try retry(job.id, RetryChange(maxTokens: .random(in: 5...15, using: &random)))
        case .queued, .running: try act(.cancel(job.id))
        case .failed, .cancelled:
            let limit = !job.request.own.isEmpty && chance(50) ? Int.random(in: 5...15, using: &random) : nil
            try retry(job.id, RetryChange(maxTokens: limit))
        case .review:
            note { _ in "review \(job.id & 0xFFFFF)" }
            try world.review(job.id, approves: chance(70))
            met["reviews", default: 0] += 1
        case .succeeded: break
        }
    }

    private mutating func retry(_ job: Int64, _ change: RetryChange) throws {
        note { _ in "retry \(job & 0xFFFFF)\(change.maxTokens.map { " with max_tokens \($0)" } ?? "")" }
        try world.retry(job, change)
        if !change.isEmpty { met["changed retries", default: 0] += 1 }
    }

    private mutating func patchQueue() {
        guard engine.pending.isEmpty, let place = any(world.queues.indices) else { return }
        world.queues[place].paused = chance(20)
        world.queues[place].weight = .random(in: 1...300, using: &random)
        note { walk in "queue \(place + 1) \(walk.world.queues[place].paused ? "paused" : "runs")" }
    }

    private mutating func growBudget() {
        guard let place = any(world.budgets.indices), !engine.heldLocks().contains(.budget(Int64(place + 1)))
        else {
            return
        }
        let limit = world.budgets[place].budget.limit.nanodollars
        world.budgets[place].budget.limit = Money(nanodollars: min(limit * 3 / 2, 10_000_000))
        if chance(10) { world.advance(Timestamp.day) }
    }

    /// A person has seen to keys and caps, without which routes would be closed most of the time.
    mutating func resumeRoutes() {
        guard engine.pending.isEmpty else { return }
        for place in world.routes.indices where world.routes[place].state.ledger.gate.state != .open {
            world.routes[place].state.ledger.gate = RouteGate()
        }
        for place in world.credentials.indices { world.credentials[place].gate = RouteGate() }
    }
}

extension Verb {
    var words: String {
        switch self {
        case .claim(let worker, let slots, let route):
            "claim by \(worker), \(slots) slots\(route.map { ", route \($0)" } ?? "")"
        case .settle(let settlement):
            "settle \(settlement.key.words) \(settlement.verdict) \(settlement.routeEvent)"
        case .reap(let key): "reap \(key.words)"
        case .cancel(let job): "cancel \(job & 0xFFFFF)"
        case .expire(let job): "expire \(job & 0xFFFFF)"
        case .gather(let route): "gather for route \(route)"
        case .recall(let key): "recall \(key.words)"
        }
    }
}

extension AttemptKey {
    var words: String { "\(job.value & 0xFFFFF)/\(number)" }
}
