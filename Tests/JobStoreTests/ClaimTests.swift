import Jobs
import Testing

@Suite struct ClaimTests {
    @Test(arguments: Backend.allCases)
    func `an enqueued job is claimed once, settled once, and found with its answer`(_ backend: Backend)
        async throws
    {
        let directory = try TemporaryDirectory()
        let store = try await backend.open(directory)
        var clock = HandClock()
        let worker = try await store.register(
            NewWorker(name: "w", host: "h", processID: 1, slots: 5), now: clock.now)
        let request = ClaimRequest(
            worker: worker, slots: 5, running: 0, lease: 30_000, services: [Sample.service])
        let outcomes = try await store.enqueue(
            [Sample.job("one"), Sample.job("two")], atomically: true, now: clock.now)
        #expect(outcomes.compactMap(\.id).count == 2)

        clock.advance(10)
        let claim = try await store.claim(request, now: clock.now)
        #expect(claim.attempts.count == 2)
        #expect(try await store.claim(request, now: clock.now).attempts.isEmpty)

        clock.advance(500)
        for attempt in claim.attempts {
            #expect(
                try await store.settle(Sample.success(attempt.key), now: clock.now) == .settled(.succeeded))
            #expect(try await store.settle(Sample.success(attempt.key), now: clock.now) == .repeated)
        }
        let id = try #require(outcomes.first?.id)
        let job = try #require(try await store.job(id, now: clock.now))
        #expect(job.state == .succeeded)
        #expect(job.cost == Money(nanodollars: 41_000))
        #expect(job.response == Sample.answer().body)
        let stats = try await store.stats(now: clock.now)
        #expect(stats.counts.succeeded == 2)
        #expect(stats.counts.total == 2)

        _ = try await store.enqueue([Sample.job("one")], atomically: true, now: clock.now)
        let third = try await store.claim(request, now: clock.now)
        #expect(third.attempts.isEmpty)
        #expect(third.settledFromCache == 1)
        await store.close()
    }
}
