import Jobs
import StoreRules
import Testing

/// What searches found of the provider's prompt cache.
@Suite struct PrefixTests {
    /// An older call, begun while the entry was there, answers after it was gone and a younger call writes it anew.
    @Test func `an answer frees who waits for the prefix, though another call is writing it`() throws {
        var engine = Engine(.plain(), locks: .sqlite, seed: 1)
        func enqueue(_ prompt: Int) -> Int64 {
            engine.world.enqueue(
                NewRow(request: World.request(prompt, prefix: 0)),
                place: LanePlace(queue: 1, route: 1, budget: "", kind: .common))
        }
        let claim = Verb.claim(worker: 0, slots: 6, route: nil)
        func succeed(_ job: Int64) throws {
            let key = AttemptKey(job: JobID(job), number: 1)
            try engine.run(
                .settle(
                    Settlement(
                        key: key, verdict: .succeeded, routeEvent: .succeeded, answer: World.answer())))
        }
        let first = enqueue(1)
        try engine.run(claim)
        try succeed(first)
        let slow = enqueue(2)
        try engine.run(claim)
        engine.world.renew(engine.world.open, lease: 600_000)
        engine.world.advance(300_000)
        let (writer, follower) = (enqueue(3), enqueue(4))
        try engine.run(claim)
        #expect(engine.world[job: writer].state == .running)
        #expect(engine.world[job: follower].heldHash != nil)
        try succeed(slow)
        #expect(engine.world[job: follower].isReady)
        #expect(engine.world.violations() == [])
    }
}
