import Jobs
import Testing
import TestSupport

@Suite struct PruneTests {
    @Test(arguments: StoreUnderTest.all)
    func `finished jobs go with all that belongs to them, others stay`(_ tested: StoreUnderTest) async throws
    {
        try await StoreHarness.run(tested) { harness in
            harness.isPruned = true
            try await harness.warmUp()
            let batch = try await harness.store.createBatch(name: "b", metadata: nil)
            let old = try await harness.enqueue([
                try Sample.job("done") { $0.batch = batch.id },
                try Sample.job("failed") {
                    $0.tags = ["t"]
                    $0.customID = "k"
                    $0.idempotency = .init(key: "i", ordinal: 0)
                },
            ])
            let attempts = try await harness.claim()
            try await harness.succeed(attempts[0])
            try await harness.meet(Sample.refusal(400), attempts[1])
            let waiting = try await harness.enqueue("waiting")
            harness.clock.advance(60_000)
            let young = try await harness.enqueue([try Sample.job("young") { $0.cache = .off }])
            for attempt in try await harness.claim() where attempt.key.job == young[0] {
                try await harness.succeed(attempt)
            }
            let pruning = try await harness.store.prune(olderThan: 30_000)
            #expect(pruning == Pruning(jobs: 3, answers: 0, more: false))
            #expect(try await harness.store.job(old[0]) == nil)
            #expect(try await harness.store.attempts(of: old[0]) == nil)
            #expect(try await harness.store.count(JobFilter(tag: "t")) == 0)
            #expect(try await harness.states(waiting + young) == [.running, .succeeded])
            // What the batch did is still told.
            #expect(try await harness.store.batch(batch.id)?.counts.succeeded == 1)
            #expect(try await harness.store.count(JobFilter(batch: batch.id)) == 0)
            // The key is free again.
            let again = try await harness.store.enqueue(
                [try Sample.job("new") { $0.customID = "k" }], atomically: true)
            #expect(again.first?.id != nil)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `an answer outlives its job until it expires`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested, StoreTerms(cacheTTL: 100_000)) { harness in
            harness.isPruned = true
            try await harness.enqueue("one")
            try await harness.succeed(try await harness.claimOne())
            harness.clock.advance(50_000)
            #expect(try await harness.store.prune(olderThan: 0) == Pruning(jobs: 1))
            let hit = try await harness.enqueue("one")
            #expect(try await harness.fullClaim().settledFromCache == 1)
            harness.clock.advance(60_000)
            // A job that points to it keeps an expired answer.
            #expect(try await harness.store.prune(olderThan: 80_000) == Pruning())
            #expect(try await harness.job(hit[0]).response != nil)
            #expect(try await harness.store.prune(olderThan: 0) == Pruning(jobs: 1, answers: 1))
            #expect(try await harness.store.stats().answers == 0)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a cancelled job stays until its call has been given up`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            harness.isPruned = true
            let ids = try await harness.enqueue("one")
            let attempt = try await harness.claimOne()
            _ = try await harness.store.cancel(ids[0])
            harness.clock.advance(10_000)
            #expect(try await harness.store.prune(olderThan: 0).jobs == 0)
            #expect(try await harness.settle(attempt.key, .handedBack(sent: true)) == .late)
            #expect(try await harness.store.prune(olderThan: 0).jobs == 1)
            #expect(try await harness.route().running == 0)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `pruning works in bounded turns`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            harness.isPruned = true
            try await harness.enqueue(try Sample.jobs(1_100))
            _ = try await harness.store.cancel(JobFilter(), after: nil, limit: 1_100)
            harness.clock.advance(1)
            var turns: [Pruning] = []
            repeat {
                turns.append(try await harness.store.prune(olderThan: 0))
            } while turns.last?.more == true
            #expect(turns.map(\.jobs) == [500, 500, 100])
            #expect(try await harness.store.stats().counts.total == 0)
        }
    }
}
