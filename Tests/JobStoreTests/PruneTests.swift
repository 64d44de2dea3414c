import Jobs
import Testing

@Suite struct PruneTests {
    @Test(arguments: Backend.allCases)
    func `finished jobs go with all that belongs to them, others stay`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            bench.isPruned = true
            try await bench.warmUp()
            let batch = try await bench.store.createBatch(name: "b", metadata: nil, now: bench.now)
            let old = try await bench.enqueue([
                try Sample.job("done") { $0.batch = batch.id },
                try Sample.job("failed") {
                    $0.tags = ["t"]
                    $0.key = "k"
                    $0.idempotency = .init(key: "i", ordinal: 0)
                },
            ])
            let attempts = try await bench.claim()
            try await bench.succeed(attempts[0])
            try await bench.meet(Sample.refusal(400), attempts[1])
            let waiting = try await bench.enqueue("waiting")
            bench.clock.advance(60_000)
            let young = try await bench.enqueue([try Sample.job("young") { $0.cache = .off }])
            for attempt in try await bench.claim() where attempt.key.job == young[0] {
                try await bench.succeed(attempt)
            }
            let pruning = try await bench.store.prune(
                finishedBefore: bench.now.timestamp + -30_000, now: bench.now)
            #expect(pruning == Pruning(jobs: 3, answers: 0, more: false))
            #expect(try await bench.store.job(old[0], now: bench.now) == nil)
            #expect(try await bench.store.attempts(of: old[0]) == nil)
            #expect(try await bench.store.count(JobFilter(tag: "t")) == 0)
            #expect(try await bench.states(waiting + young) == [.running, .succeeded])
            // What the batch did is still told.
            #expect(try await bench.store.batch(batch.id)?.counts.succeeded == 1)
            // The key is free again.
            let again = try await bench.store.enqueue(
                [try Sample.job("new") { $0.key = "k" }], atomically: true, now: bench.now)
            #expect(again.first?.id != nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `an answer outlives its job until it expires`(_ backend: Backend) async throws {
        try await Bench.run(backend, cacheTTL: 100_000) { bench in
            bench.isPruned = true
            try await bench.enqueue("one")
            try await bench.succeed(try await bench.claimOne())
            bench.clock.advance(50_000)
            #expect(
                try await bench.store.prune(finishedBefore: bench.now.timestamp, now: bench.now)
                    == Pruning(jobs: 1))
            let hit = try await bench.enqueue("one")
            #expect(try await bench.fullClaim().settledFromCache == 1)
            bench.clock.advance(60_000)
            // A job that points to it keeps an expired answer.
            #expect(
                try await bench.store.prune(
                    finishedBefore: bench.now.timestamp + -80_000, now: bench.now) == Pruning())
            #expect(try await bench.job(hit[0]).response != nil)
            #expect(
                try await bench.store.prune(finishedBefore: bench.now.timestamp, now: bench.now)
                    == Pruning(jobs: 1, answers: 1))
            #expect(try await bench.store.stats(now: bench.now).answers == 0)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a cancelled job stays until its call has been given up`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            bench.isPruned = true
            let ids = try await bench.enqueue("one")
            let attempt = try await bench.claimOne()
            _ = try await bench.store.cancel(ids[0], now: bench.now)
            bench.clock.advance(10_000)
            let now = bench.now
            #expect(try await bench.store.prune(finishedBefore: now.timestamp, now: now).jobs == 0)
            #expect(try await bench.settle(attempt.key, .handedBack(sent: true)) == .late)
            #expect(try await bench.store.prune(finishedBefore: now.timestamp, now: now).jobs == 1)
            #expect(try await bench.route().running == 0)
        }
    }

    @Test(arguments: Backend.allCases)
    func `pruning works in bounded turns`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            bench.isPruned = true
            try await bench.enqueue(try Sample.jobs(1_100))
            _ = try await bench.store.cancel(JobFilter(), after: nil, limit: 1_100, now: bench.now)
            bench.clock.advance(1)
            var turns: [Pruning] = []
            repeat {
                turns.append(
                    try await bench.store.prune(finishedBefore: bench.now.timestamp, now: bench.now))
            } while turns.last?.more == true
            #expect(turns.map(\.jobs) == [500, 500, 100])
            #expect(try await bench.store.stats(now: bench.now).counts.total == 0)
        }
    }
}
