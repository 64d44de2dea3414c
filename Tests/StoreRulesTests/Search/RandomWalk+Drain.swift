import Jobs
import StoreRules

// Fair weather from now on: every job comes to an end.
extension RandomWalk {
    private static let rounds = 400

    /// What is still queued or running when nothing more should be; empty if all is well.
    mutating func drain() throws -> [String] {
        while !engine.pending.isEmpty { try engine.commit() }
        clearUp()
        for _ in 0..<Self.rounds {
            for place in world.unfinished where world.jobs[place].state == .review {
                try world.review(world.jobs[place].id, approves: true)
            }
            if world.unfinished.isEmpty { return world.violations() }
            try answerAll()
            if try !claimAll() { try rest() }
        }
        let left = world.unfinished.map { place in
            let job = world.jobs[place]
            return "\(place) \(job.state) ready \(job.isReady) \(world.lane(job.lane))"
        }
        return ["every job ends: \(left.prefix(3))"]
    }

    private mutating func clearUp() {
        note { _ in "fair weather" }
        for place in world.budgets.indices {
            world.budgets[place].budget.limit = max(
                world.budgets[place].budget.limit, Money(nanodollars: 20_000_000))
        }
        for place in world.queues.indices { world.queues[place].paused = false }
        resumeRoutes()
        (lost, poison) = ([], [])
    }

    private mutating func answerAll() throws {
        for worker in world.workers.indices {
            for key in world.workers[worker].holds {
                try engine.run(.settle(settlement(of: key, Outcome(.answer(World.answer())))))
            }
            world.workers[worker].holds = []
        }
        for place in world.batches.indices where world.batches[place].state == .sealed {
            world.batches[place].state = .away
        }
        for key in world.open where world[attempt: key].providerBatch != nil {
            try engine.run(.settle(settlement(of: key, Outcome(.answer(World.answer(isBatch: true))))))
        }
    }

    /// Whether anything was begun.
    private mutating func claimAll() throws -> Bool {
        let before = world.open.count
        leaveLate()
        for route in 1...3 as ClosedRange<Int64> {
            if route < 3 { try engine.run(.gather(route: route)) }
            for worker in world.workers.indices where engine.locks.store ? route == 1 : hasWork(route) {
                try engine.run(.claim(worker: worker, slots: 6, route: engine.locks.store ? nil : route))
            }
        }
        return world.open.count > before
    }

    /// Whether a worker would look at the route at all: it has jobs that wait for it.
    private func hasWork(_ route: Int64) -> Bool {
        world.unfinished.contains { world.lane(world.jobs[$0].lane).route == route }
    }

    private mutating func rest() throws {
        world.advance(5_000)
        for key in world.open { try engine.run(.reap(key)) }
    }
}
