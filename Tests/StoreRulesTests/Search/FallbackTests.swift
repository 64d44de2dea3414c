import Jobs
import StoreRules
import Testing

/// What searches found of calls that fly on another route than their job's.
@Suite struct FallbackTests {
    /// Two routes with one model, the second with the first in its place.
    private static func world() -> MemoryWorld {
        let fallbacks = FallbackChains([
            World.keys[2]: [Fallback(route: World.keys[0], causes: [.breaker])]
        ])
        var world = MemoryWorld(
            now: World.start, settings: RuleSettings(fallbacks: fallbacks, prices: World.prices),
            terms: HalfPriceTerms(),
            routes: [
                World.route(0, perMinute: nil), World.route(1, perMinute: nil),
                World.route(2, perMinute: nil),
            ],
            queues: [World.queue("a")])
        world.workers = World.workers([.common])
        world.credentials = World.credentials
        world.routes[2].state.ledger.gate = RouteGate(
            state: .broken, until: world.now.moment + 60_000, closedAt: world.now.moment)
        return world
    }

    @Test func `an answer frees who waits for it on the route that was called, not only on its job's own`()
        throws
    {
        var engine = Engine(Self.world(), locks: .sqlite, seed: 1)
        func enqueue(on route: Int64) -> Int64 {
            engine.world.enqueue(
                NewRow(request: World.request(1)),
                place: LanePlace(queue: 1, route: route, budget: "", kind: .common))
        }
        let claim = Verb.claim(worker: 0, slots: 6, route: nil)
        let first = enqueue(on: 1)
        let followers = [enqueue(on: 1), enqueue(on: 1)]
        try engine.run(claim)
        let error = JobError(type: "timeout", message: "late", retryable: true)
        try engine.run(
            .settle(
                Settlement(
                    key: AttemptKey(job: JobID(first), number: 1),
                    verdict: .again(after: 10_000, error, .never), routeEvent: .neutral)))
        #expect(followers.allSatisfy { engine.world[job: $0].heldHash != nil })

        let other = enqueue(on: 3)
        try engine.run(claim)
        #expect(engine.world[job: other].attempts.map(\.route) == [1])
        try engine.run(
            .settle(
                Settlement(
                    key: AttemptKey(job: JobID(other), number: 1), verdict: .succeeded,
                    routeEvent: .succeeded, answer: World.answer())))
        #expect(followers.allSatisfy { engine.world[job: $0].isReady })
    }
}
