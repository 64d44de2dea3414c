import Jobs
import StoreRules
import TestSupport

/// A verb of the store that decides.
enum Verb: Sendable {
    /// `route` if the store claims from one route at a time.
    case claim(worker: Int, slots: Int, route: Int64?)
    case settle(Settlement)
    /// One attempt whose lease ran out, or that another boot opened.
    case reap(AttemptKey)
    case cancel(Int64)
    /// A queued job whose deadline is over.
    case expire(Int64)
    /// Jobs go out with a provider batch.
    case gather(route: Int64)
    /// An attempt comes back from a provider batch for its job's deadline's sake.
    case recall(AttemptKey)
}

/// What a verb decided.
struct Decided: Sendable {
    var delta: Delta
    var rowCache = RowCache()
    var news: [News] = []
    let terms: Applying
    /// The worker that gets the calls.
    var worker: Int?
    /// The attempt that was closed, if shared rows are written with it.
    var closed: AttemptRecord?

    var isNothing: Bool { delta.changes.isEmpty && rowCache.changed.routes.isEmpty }
}

/// A verb between its load and its commit.
struct Pending: Sendable {
    let verb: Verb
    var locks: Set<Lock>
    /// Nil if it has only looked for answers yet: that control asks for calls in flight later.
    var decided: Decided?
    var answers: MemoryWorld?
}

/// A world whose verbs take two steps: load and decide, then commit.
///
/// Between them others come, as far as the locks allow.
struct Engine: Sendable {
    var world: MemoryWorld
    let locks: Locks
    var pending: [Pending] = []
    /// What claims decide by lot, and gates.
    var random: SeededRandom

    init(_ world: MemoryWorld, locks: Locks, seed: UInt64) {
        self.world = world
        self.locks = locks
        random = SeededRandom(seed: seed)
    }

    /// Loads and decides; false if a lock is not to be had now, or there is nothing to do.
    mutating func begin(_ verb: Verb) throws -> Bool {
        guard pending.isEmpty || !locks.store else { return false }
        let wanted = wantedLocks(verb)
        guard wanted.isDisjoint(with: heldLocks()) else { return false }
        if case .claim = verb, !locks.asksForCallsFirst {
            pending.append(Pending(verb: verb, locks: wanted, answers: world))
            return true
        }
        guard let decided = try decide(verb, answers: nil), !decided.isNothing else { return false }
        pending.append(Pending(verb: verb, locks: wanted.union(jobLocks(decided)), decided: decided))
        return true
    }

    /// Commits one of those that are under way.
    mutating func commit(_ place: Int = 0) throws {
        var next = pending.remove(at: place)
        guard let decided = next.decided else {
            next.decided = try decide(next.verb, answers: next.answers)
            if let decided = next.decided { next.locks.formUnion(jobLocks(decided)) }
            next.answers = nil
            return pending.append(next)
        }
        world.apply(decided.delta, decided.terms)
        save(decided)
    }

    /// Both steps with nothing between; false if it could not begin.
    @discardableResult
    mutating func run(_ verb: Verb) throws -> Bool {
        guard try begin(verb) else { return false }
        while !pending.isEmpty { try commit() }
        return true
    }

    private mutating func decide(_ verb: Verb, answers: MemoryWorld?) throws -> Decided? {
        switch verb {
        case .claim(let worker, let slots, let route):
            try claim(worker: worker, slots: slots, route: route, answers: answers)
        case .gather(let route): try gather(route: route)
        case .settle(let settlement): try settle(settlement)
        case .reap(let key): reap(key)
        case .recall(let key): recall(key)
        case .cancel(let job): end(job, .cancelled, nil)
        case .expire(let job): end(job, .failed, .deadlineExceeded)
        }
    }
}

// MARK: - Locks

extension Engine {
    func heldLocks() -> Set<Lock> { pending.reduce(into: []) { $0.formUnion($1.locks) } }

    /// Jobs that others hold.
    func lockedJobs() -> Set<Int64> {
        Set(heldLocks().compactMap { if case .job(let id) = $0 { id } else { nil } })
    }

    private func wantedLocks(_ verb: Verb) -> Set<Lock> {
        if locks.store { return [.store] }
        switch verb {
        case .claim(_, _, let route): return sharedLocks(of: route ?? 1)
        case .gather(let route): return sharedLocks(of: route)
        case .settle(let settlement): return jobLock(settlement.key.job.value)
        case .reap(let key), .recall(let key): return jobLock(key.job.value)
        case .cancel(let job), .expire(let job): return jobLock(job)
        }
    }

    private func jobLock(_ id: Int64) -> Set<Lock> { locks.jobs ? [.job(id)] : [] }

    private func jobLocks(_ decided: Decided) -> Set<Lock> {
        guard locks.jobs, !locks.store else { return [] }
        return Set(decided.delta.changes.compactMap { $0.job.map { .job($0) } })
    }

    /// Those of the route and its chain, of the capped queues and of the budgets that its lanes' jobs are subject to.
    func sharedLocks(of route: Int64) -> Set<Lock> {
        var wanted: Set<Lock> = []
        if locks.routes { wanted.formUnion(chain(of: route).map { .route($0) }) }
        let lanes = world.lanes.filter { $0.route == route }
        if locks.queues {
            for lane in lanes where world.queues[Int(lane.queue - 1)].concurrency != nil {
                wanted.insert(.queue(lane.queue))
            }
        }
        // Lanes may come while only answers were looked for.
        if !locks.asksForCallsFirst {
            return wanted.union(world.budgets.indices.map { .budget(Int64($0 + 1)) })
        }
        guard locks.budgets else { return wanted }
        for (place, row) in world.budgets.enumerated() {
            let covers = lanes.contains { lane in
                row.budget.covers(
                    queue: world.queues[Int(lane.queue - 1)].name, tags: LaneBudget.tags(of: lane.budget))
            }
            if covers { wanted.insert(.budget(Int64(place + 1))) }
        }
        return wanted
    }

    /// A route with all that its chain leads to.
    func chain(of route: Int64) -> [Int64] {
        let home = world.route(route).state.key
        var (found, position) = ([route], 0)
        for cause in Fallback.Cause.allCases {
            position = 0
            while let next = world.settings.fallbacks.next(after: position, of: home, for: cause) {
                position = next
                let key = world.settings.fallbacks.route(at: next, of: home)
                if let place = world.routes.firstIndex(where: { $0.state.key == key }) {
                    found.append(Int64(place + 1))
                }
            }
        }
        return found
    }
}

extension Change {
    /// The job whose row it writes because it was decided so.
    fileprivate var job: Int64? {
        switch self {
        case .open(let attempt): attempt.key.job.value
        case .serve(let job, _), .end(let job, _, _), .hold(let job, _, _): job
        case .move(let move): move.job
        default: nil
        }
    }
}
