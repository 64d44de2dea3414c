import Jobs
import StoreRules
import TestSupport

/// Two workers, three jobs of which two are the same, one budget; with every step that may come next.
struct SmallWorld: Sendable {
    /// How often each thing may still go wrong: without a bound there is no end.
    struct Faults: Hashable, Sendable {
        var crashes: Int
        var failures: Int
        var cancels: Int
    }

    enum Move: Hashable, Sendable {
        case claim(worker: Int, slots: Int)
        case settle(AttemptKey, End)
        /// A worker dies with all that it holds.
        case crash(worker: Int)
        /// An answer comes for a call whose worker was given up.
        case late(AttemptKey)
        case reap(AttemptKey)
        case cancel(Int64)
        /// Until the next moment at which something is due.
        case wait
        case commit(Int)
        /// A process dies between load and commit.
        case abort(Int)
    }

    enum End: Sendable, CaseIterable { case succeeded, broken, refused }

    /// Verbs that are under way at a time.
    private static let mostAtATime = 2

    var engine: Engine
    /// Calls of dead workers.
    var lost: [AttemptKey] = []
    var faults: Faults
    /// What each verb that is under way was decided on, by the state's key.
    var origins: [StateKey] = []

    init(locks: Locks, jobs prompts: [Int], faults: Faults) {
        var world = MemoryWorld.plain()
        world.workers = World.workers([.common, .common])
        world.budgets = [World.budget("all", 250)]
        for prompt in prompts {
            var new = NewRow(request: World.request(prompt))
            new.maxAttempts = 2
            world.enqueue(new, place: LanePlace(queue: 1, route: 1, budget: "", kind: .common))
        }
        engine = Engine(world, locks: locks, seed: 7)
        self.faults = faults
    }

    var world: MemoryWorld { engine.world }

    // MARK: Moves

    func moves() -> [Move] {
        var moves: [Move] = [.wait]
        for (place, worker) in world.workers.enumerated() {
            if !engine.pending.contains(where: { $0.verb.isClaim(by: place) }) {
                moves.append(.claim(worker: place, slots: 2))
                if engine.locks.store { moves.append(.claim(worker: place, slots: 1)) }
            }
            if faults.crashes > 0, !worker.holds.isEmpty { moves.append(.crash(worker: place)) }
            for key in worker.holds {
                moves.append(.settle(key, .succeeded))
                if faults.failures > 0 { moves += [.settle(key, .broken), .settle(key, .refused)] }
            }
        }
        moves += lost.map { .late($0) } + world.open.map { .reap($0) }
        if faults.cancels > 0 { moves += world.unfinished.map { .cancel(world.jobs[$0].id) } }
        for place in engine.pending.indices {
            moves.append(.commit(place))
            if faults.crashes > 0 { moves.append(.abort(place)) }
        }
        return moves
    }

    /// The state after a move; nil if nothing comes of it.
    func after(_ move: Move, from key: StateKey) throws -> SmallWorld? {
        var next = self
        // The same lots in every state: what is decided depends on the state alone.
        next.engine.random = SeededRandom(seed: 7)
        switch move {
        case .claim(let worker, let slots):
            let route: Int64? = engine.locks.store ? nil : 1
            return try next.begin(.claim(worker: worker, slots: slots, route: route), key) ? next : nil
        case .settle(let attempt, let end):
            if end != .succeeded { next.faults.failures -= 1 }
            return try next.close(attempt, end, key) ? next : nil
        case .late(let attempt): return try next.close(attempt, .succeeded, key) ? next : nil
        case .crash(let worker): next.crash(worker)
        case .reap(let attempt): return try next.begin(.reap(attempt), key) ? next : nil
        case .cancel(let job):
            next.faults.cancels -= 1
            return try next.begin(.cancel(job), key) ? next : nil
        case .wait: return next.wait() ? next : nil
        case .commit(let place):
            try next.engine.commit(place)
            next.origins.remove(at: place)
        case .abort(let place):
            if case .claim(let worker, _, _) = next.engine.pending[place].verb {
                next.crash(worker)
            } else {
                next.faults.crashes -= 1
            }
            if case .settle(let settlement) = next.engine.pending[place].verb {
                next.lost.append(settlement.key)
            }
            next.engine.pending.remove(at: place)
            next.origins.remove(at: place)
        }
        return next
    }

    private mutating func begin(_ verb: Verb, _ key: StateKey) throws -> Bool {
        guard engine.pending.count < Self.mostAtATime, try engine.begin(verb) else { return false }
        if engine.locks.store { try engine.commit() } else { origins.append(key) }
        return true
    }

    private mutating func crash(_ worker: Int) {
        faults.crashes -= 1
        lost += engine.world.workers[worker].holds
        engine.world.workers[worker].holds = []
    }

    private mutating func close(_ attempt: AttemptKey, _ end: End, _ key: StateKey) throws -> Bool {
        guard try begin(.settle(end.settlement(of: attempt)), key) else { return false }
        for worker in engine.world.workers.indices {
            engine.world.workers[worker].holds.removeAll { $0 == attempt }
        }
        lost.removeAll { $0 == attempt }
        return true
    }

    /// Living workers renew what they hold.
    private mutating func wait() -> Bool {
        let now = world.now
        let leases = lost.filter { world[attempt: $0].status == .open }.map {
            world[attempt: $0].leaseUntil.since(now.moment)
        }
        let holds = world.unfinished.compactMap { world.jobs[$0].heldUntil.map { $0 - now.timestamp } }
        guard let next = (leases + holds).filter({ $0 > 0 }).min() else { return false }
        for worker in world.workers { engine.world.renew(worker.holds, lease: next + World.lease) }
        engine.world.advance(next)
        return true
    }
}

// MARK: - Fair weather

extension SmallWorld {
    private static let rounds = 60

    /// What does not end though nothing more goes wrong, and there is money; empty if all does.
    func left() throws -> [String] {
        var state = self
        while !state.engine.pending.isEmpty { try state.engine.commit() }
        state.engine.world.budgets[0].budget.limit = Money(nanodollars: 1_000_000)
        for _ in 0..<Self.rounds where !state.world.unfinished.isEmpty {
            for worker in state.world.workers.indices {
                try state.engine.run(
                    .claim(worker: worker, slots: 2, route: state.engine.locks.store ? nil : 1))
                for key in state.world.workers[worker].holds {
                    try state.engine.run(.settle(End.succeeded.settlement(of: key)))
                }
                state.engine.world.workers[worker].holds = []
            }
            state.engine.world.advance(World.lease)
            for key in state.world.open { try state.engine.run(.reap(key)) }
        }
        guard state.world.unfinished.isEmpty else { return ["every job ends: \(state.world.unfinished)"] }
        return state.world.violations()
    }
}

extension Verb {
    fileprivate func isClaim(by worker: Int) -> Bool {
        if case .claim(worker, _, _) = self { true } else { false }
    }
}

extension SmallWorld.End {
    fileprivate func settlement(of key: AttemptKey) -> Settlement {
        switch self {
        case .succeeded:
            return Settlement(key: key, verdict: .succeeded, routeEvent: .succeeded, answer: World.answer())
        case .broken:
            let error = JobError(type: "timeout", message: "late", retryable: true)
            return Settlement(
                key: key, verdict: .again(after: 1_000, error, .ifOthersSucceeded), routeEvent: .unavailable,
                unconfirmedCost: true)
        case .refused:
            let error = JobError(type: "invalid_request_error", message: "no", status: 400, retryable: false)
            return Settlement(key: key, verdict: .failed(error), routeEvent: .refused(signature: "400"))
        }
    }
}
