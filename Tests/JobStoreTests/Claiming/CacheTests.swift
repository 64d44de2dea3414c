import JSON
import Jobs
import Testing
import TestSupport

@Suite struct CacheTests {
    @Test(arguments: Backend.allCases)
    func `a prompt that was answered costs nothing again`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let first = try await harness.enqueue("one")
            try await harness.succeed(try await harness.claimOne())
            let second = try await harness.enqueue([try Sample.job("one", queue: "another")])
            let claim = try await harness.fullClaim()
            #expect(claim.attempts.isEmpty)
            #expect(claim.settledFromCache == 1)
            let job = try await harness.job(second[0])
            #expect(job.state == .succeeded)
            #expect(job.cached)
            #expect(job.sourceJob == first[0])
            #expect(job.response == Sample.answer().body)
            #expect(job.usage == Sample.answer().usage)
            #expect(job.cost == .zero)
            #expect(job.saved == Sample.cost)
            #expect(job.attempt == 0)
            let stats = try await harness.store.stats()
            #expect(stats.spend.first?.calls == 1)
            #expect(stats.spend.first?.cacheHits == 1)
            #expect(stats.spend.first?.saved == Sample.cost)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a hit needs no open gate`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.enqueue("one")
            try await harness.succeed(try await harness.claimOne())
            _ = try await harness.store.update(route: Sample.route.name, paused: true)
            try await harness.enqueue("one")
            #expect(try await harness.fullClaim().settledFromCache == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `refresh makes its own call and leaves the answer for others`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.enqueue("one")
            try await harness.succeed(try await harness.claimOne(), "old")
            try await harness.enqueue([try Sample.job("one") { $0.cache = .refresh }])
            try await harness.succeed(try await harness.claimOne(), "new")
            let third = try await harness.enqueue("one")
            #expect(try await harness.fullClaim().settledFromCache == 1)
            #expect(try await harness.job(third[0]).response == Sample.answer("new").body)
        }
    }

    @Test(arguments: Backend.allCases)
    func `off makes its own call and leaves nothing`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let ids = try await harness.enqueue([try Sample.job("one") { $0.cache = .off }])
            try await harness.succeed(try await harness.claimOne(), "own")
            #expect(try await harness.job(ids[0]).response == Sample.answer("own").body)
            try await harness.enqueue("one")
            try await harness.succeed(try await harness.claimOne(), "shared")
            try await harness.enqueue([try Sample.job("one") { $0.cache = .off }])
            let claim = try await harness.fullClaim()
            #expect(claim.attempts.count == 1)
            #expect(claim.settledFromCache == 0)
        }
    }

    @Test(arguments: Backend.allCases)
    func `another sample is another answer`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.enqueue("one")
            try await harness.succeed(try await harness.claimOne())
            let sample = try Sample.job("one") { job in
                job.sample = 1
                job.promptHash = try PromptHash(request: .parse(job.request), sample: 1)
            }
            try await harness.enqueue([sample])
            #expect(try await harness.claim().count == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `an answer is served until its time to live has passed`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend, cacheTTL: 10_000) { harness in
            try await harness.enqueue("one")
            try await harness.succeed(try await harness.claimOne())
            harness.clock.advance(9_999)
            try await harness.enqueue("one")
            #expect(try await harness.fullClaim().settledFromCache == 1)
            harness.clock.advance(1)
            try await harness.enqueue("one")
            #expect(try await harness.claim().count == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `another route's answer is never served`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.enqueue([try Sample.job("one", route: Sample.otherRoute)])
            for attempt in try await harness.claim(services: [Sample.otherService]) {
                try await harness.succeed(attempt, "simulated")
            }
            let ids = try await harness.enqueue("one")
            let attempt = try await harness.claimOne()
            #expect(attempt.key.job == ids[0])
        }
    }

    @Test(arguments: Backend.allCases, ["refusal", "max_tokens"])
    func `an answer that is no good for others is its own job's only`(
        _ backend: Backend, stopReason: String
    ) async throws {
        try await StoreHarness.run(backend) { harness in
            let ids = try await harness.enqueue("one")
            var settlement = Sample.success(try await harness.claimOne().key)
            settlement.answer = Sample.answer("cut", stopReason: stopReason)
            _ = try await harness.store.settle(settlement)
            #expect(try await harness.job(ids[0]).response == Sample.answer("cut").body)
            try await harness.enqueue("one")
            #expect(try await harness.claim().count == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `without a time to live identical prompts neither share nor wait`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend, cacheTTL: 0) { harness in
            try await harness.enqueue("one", "one", "one")
            let attempts = try await harness.claim()
            #expect(attempts.count == 3)
            for attempt in attempts { try await harness.succeed(attempt) }
            try await harness.enqueue("one")
            #expect(try await harness.claim().count == 1)
        }
    }
}
