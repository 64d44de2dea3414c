import Jobs
import StoreRules
import TestSupport
import Testing

/// Each queue gets its share by its weight, and no job waits for ever.
@Suite(.onThread) struct FairnessTests {
    private static func world(weights: [Int]) -> MemoryWorld {
        var world = MemoryWorld.plain()
        // Routes that have answered bind nothing here: slots are scarce.
        world.routes[0].state.ledger.succeeded = 1
        world.routes[0].state.ledger.isLearned = true
        world.routes[0].state.ledger.window = ConcurrencyWindow(size: 10_000)
        world.queues = weights.enumerated().map { World.queue("q\($0.offset)", weight: $0.element) }
        return world
    }

    private static func add(_ queue: Int, to world: inout MemoryWorld, _ prompt: Int, priority: Int = 0)
        -> Int64
    {
        var new = NewRow(request: World.request(prompt))
        new.cache = .off
        new.priority = priority
        return world.enqueue(
            new, place: LanePlace(queue: Int64(queue + 1), route: 1, budget: "", kind: .common))
    }

    /// With jobs waiting in each queue, what was served is within one job of its share, whatever the slots.
    @Test(arguments: 1...(Search.isLong ? 200 : 12))
    func `queues with work are served in proportion to their weights at any time`(_ seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let weights = (0..<Int.random(in: 2...5, using: &random)).map { _ in
            Int.random(in: 1...9, using: &random) * 10
        }
        var engine = Engine(Self.world(weights: weights), locks: .sqlite, seed: UInt64(seed))
        var served = weights.map { _ in 0 }
        for _ in 0..<60 {
            for queue in weights.indices {
                while engine.world.unfinished.count(where: {
                    engine.world.lane(engine.world.jobs[$0].lane).queue == Int64(queue + 1)
                }) < 8 {
                    _ = Self.add(queue, to: &engine.world, 0)
                }
            }
            try engine.run(.claim(worker: 0, slots: .random(in: 1...5, using: &random), route: nil))
            for key in engine.world.open {
                served[Int(engine.world[attempt: key].queue - 1)] += 1
                try engine.run(.settle(Self.success(key)))
            }
            engine.world.workers[0].holds = []
            engine.world.advance(100)
            let (all, weight) = (served.reduce(0, +), weights.reduce(0, +))
            for queue in weights.indices {
                let share = Double(all) * Double(weights[queue]) / Double(weight)
                #expect(
                    abs(Double(served[queue]) - share) <= Double(weights.count),
                    "\(weights) were served \(served)")
            }
        }
    }

    /// Waiting overtakes priority: a step of it is worth a minute.
    @Test func `a job of the lowest priority is not overtaken for ever`() throws {
        var engine = Engine(Self.world(weights: [100]), locks: .sqlite, seed: 1)
        let low = Self.add(0, to: &engine.world, 1, priority: -10)
        var minutes = 0
        while engine.world[job: low].state == .queued, minutes < 60 {
            for _ in 0..<4 { _ = Self.add(0, to: &engine.world, 2) }
            try engine.run(.claim(worker: 0, slots: 4, route: nil))
            for key in engine.world.open { try engine.run(.settle(Self.success(key))) }
            engine.world.workers[0].holds = []
            engine.world.advance(60_000)
            minutes += 1
        }
        #expect((10...12).contains(minutes))
    }

    private static func success(_ key: AttemptKey) -> Settlement {
        Settlement(key: key, verdict: .succeeded, routeEvent: .succeeded, answer: World.answer())
    }
}
