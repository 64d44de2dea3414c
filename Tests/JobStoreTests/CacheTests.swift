import JSON
import Jobs
import Testing

@Suite struct CacheTests {
    @Test(arguments: Backend.allCases)
    func `a prompt that was answered costs nothing again`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let first = try await bench.enqueue("one")
            try await bench.succeed(try await bench.claimOne())
            let second = try await bench.enqueue([try Sample.job("one", queue: "another")])
            let claim = try await bench.fullClaim()
            #expect(claim.attempts.isEmpty)
            #expect(claim.settledFromCache == 1)
            let job = try await bench.job(second[0])
            #expect(job.state == .succeeded)
            #expect(job.cached)
            #expect(job.sourceJob == first[0])
            #expect(job.response == Sample.answer().body)
            #expect(job.usage == Sample.answer().usage)
            #expect(job.cost == .zero)
            #expect(job.saved == Sample.cost)
            #expect(job.attempt == 0)
            let stats = try await bench.store.stats(now: bench.now)
            #expect(stats.spend.first?.calls == 1)
            #expect(stats.spend.first?.hits == 1)
            #expect(stats.spend.first?.saved == Sample.cost)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a hit needs no open gate`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.enqueue("one")
            try await bench.succeed(try await bench.claimOne())
            _ = try await bench.store.update(route: Sample.route.name, paused: true, now: bench.now)
            try await bench.enqueue("one")
            #expect(try await bench.fullClaim().settledFromCache == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `refresh makes its own call and leaves the answer for others`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.enqueue("one")
            try await bench.succeed(try await bench.claimOne(), "old")
            try await bench.enqueue([try Sample.job("one") { $0.cache = .refresh }])
            try await bench.succeed(try await bench.claimOne(), "new")
            let third = try await bench.enqueue("one")
            #expect(try await bench.fullClaim().settledFromCache == 1)
            #expect(try await bench.job(third[0]).response == Sample.answer("new").body)
        }
    }

    @Test(arguments: Backend.allCases)
    func `off makes its own call and leaves nothing`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let ids = try await bench.enqueue([try Sample.job("one") { $0.cache = .off }])
            try await bench.succeed(try await bench.claimOne(), "own")
            #expect(try await bench.job(ids[0]).response == Sample.answer("own").body)
            try await bench.enqueue("one")
            try await bench.succeed(try await bench.claimOne(), "shared")
            try await bench.enqueue([try Sample.job("one") { $0.cache = .off }])
            let claim = try await bench.fullClaim()
            #expect(claim.attempts.count == 1)
            #expect(claim.settledFromCache == 0)
        }
    }

    @Test(arguments: Backend.allCases)
    func `another sample is another answer`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.enqueue("one")
            try await bench.succeed(try await bench.claimOne())
            let sample = try Sample.job("one") { job in
                job.sample = 1
                job.promptHash = try PromptHash(request: .parse(job.request), sample: 1)
            }
            try await bench.enqueue([sample])
            #expect(try await bench.claim().count == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `an answer is served until its time to live has passed`(_ backend: Backend) async throws {
        try await Bench.run(backend, cacheTTL: 10_000) { bench in
            try await bench.enqueue("one")
            try await bench.succeed(try await bench.claimOne())
            bench.clock.advance(9_999)
            try await bench.enqueue("one")
            #expect(try await bench.fullClaim().settledFromCache == 1)
            bench.clock.advance(1)
            try await bench.enqueue("one")
            #expect(try await bench.claim().count == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `another route's answer is never served`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.enqueue([try Sample.job("one", route: Sample.otherRoute)])
            for attempt in try await bench.claim(services: [Sample.otherService]) {
                try await bench.succeed(attempt, "simulated")
            }
            let ids = try await bench.enqueue("one")
            let attempt = try await bench.claimOne()
            #expect(attempt.key.job == ids[0])
        }
    }

    @Test(arguments: Backend.allCases, ["refusal", "max_tokens"])
    func `an answer that is no good for others is its own job's only`(
        _ backend: Backend, stopReason: String
    ) async throws {
        try await Bench.run(backend) { bench in
            let ids = try await bench.enqueue("one")
            var settlement = Sample.success(try await bench.claimOne().key)
            settlement.answer = Sample.answer("cut", stopReason: stopReason)
            _ = try await bench.store.settle(settlement, now: bench.now)
            #expect(try await bench.job(ids[0]).response == Sample.answer("cut").body)
            try await bench.enqueue("one")
            #expect(try await bench.claim().count == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `without a time to live identical prompts neither share nor wait`(_ backend: Backend)
        async throws
    {
        try await Bench.run(backend, cacheTTL: 0) { bench in
            try await bench.enqueue("one", "one", "one")
            let attempts = try await bench.claim()
            #expect(attempts.count == 3)
            for attempt in attempts { try await bench.succeed(attempt) }
            try await bench.enqueue("one")
            #expect(try await bench.claim().count == 1)
        }
    }
}
