import Jobs
import Testing
import TestSupport

/// What a provider's refusals do to their route, for all workers at once.
@Suite struct GateTests {
    /// A bench whose route is known and has so many jobs ready.
    private func run(_ backend: Backend, jobs: Int, _ body: (StoreHarness, [JobID]) async throws -> Void)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            try await body(harness, try await harness.enqueue(try Sample.jobs(jobs)))
        }
    }

    @Test(arguments: Backend.allCases)
    func `a 429 closes the gate for all until its retry-after, and nobody is blamed`(_ backend: Backend)
        async throws
    {
        try await run(backend, jobs: 9) { harness, ids in
            let attempt = try await harness.claimOne()
            harness.clock.advance(300)
            try await harness.meet(
                Sample.refusal(429, type: "rate_limit_error", retryAfter: 7_000), attempt)
            #expect(try await harness.job(attempt.key.job).attemptsCounted == 0)
            #expect(try await harness.states([attempt.key.job]) == [.queued])
            let gate = try await harness.route().gate
            #expect(gate?.reason == .rateLimit)
            #expect(try await harness.job(ids[3]).waitingFor?.reason == .rateLimit)

            let other = try await harness.store.register(
                NewWorker(name: "other", host: "there", processID: 2, slots: 5))
            harness.clock.advance(6_999)
            let closed = try await harness.fullClaim(as: other)
            #expect(closed.attempts.isEmpty)
            let wait = try #require(closed.wakeAfter)
            #expect(wait >= 1 && wait <= 400)
            harness.clock.advance(wait)
            #expect(!(try await harness.claim(as: other).isEmpty))
        }
    }

    @Test(arguments: Backend.allCases)
    func `after a 429 the route starts again slowly`(_ backend: Backend) async throws {
        try await run(backend, jobs: 60) { harness, _ in
            let attempt = try await harness.claimOne()
            harness.clock.advance(300)
            try await harness.meet(Sample.refusal(429, retryAfter: 1_000), attempt)
            let until = try #require(try await harness.fullClaim().wakeAfter)
            harness.clock.advance(until)
            var flying = 0
            var counts: [Int] = []
            for _ in 0..<5 {
                flying += try await harness.claim(60).count
                counts.append(flying)
                harness.clock.advance(500)
            }
            #expect(counts == [2, 3, 5, 9, 17])
            harness.clock.advance(2_500)
            #expect(try await harness.claim(60).count == 43)
        }
    }

    @Test(arguments: Backend.allCases)
    func `without a retry-after the wait grows with each 429`(_ backend: Backend) async throws {
        try await run(backend, jobs: 3) { harness, _ in
            var waits: [Milliseconds] = []
            for _ in 0..<9 {
                let attempt = try await harness.claimOne()
                harness.clock.advance(100)
                try await harness.meet(Sample.refusal(429), attempt)
                let wait = try #require(try await harness.fullClaim().wakeAfter)
                waits.append(wait)
                harness.clock.advance(wait)
            }
            #expect(waits.allSatisfy { $0 >= 1_000 && $0 <= 60_000 })
            #expect(waits[0] <= 2_000)
            #expect(try #require(waits.last) >= 30_000)
        }
    }

    @Test(arguments: Backend.allCases)
    func `what flew before a 429 and comes back after it reopens nothing`(_ backend: Backend)
        async throws
    {
        try await run(backend, jobs: 9) { harness, _ in
            let attempts = try await harness.claim(3)
            harness.clock.advance(200)
            try await harness.meet(Sample.refusal(429, retryAfter: 20_000), attempts[0])
            harness.clock.advance(200)
            try await harness.succeed(attempts[1])
            #expect(try await harness.claim().isEmpty)
            // A shorter wait that is heard later does not shorten it either.
            try await harness.meet(Sample.refusal(429, retryAfter: 1_000), attempts[2])
            harness.clock.advance(5_000)
            #expect(try await harness.claim().isEmpty)
        }
    }

    @Test(arguments: Backend.allCases, [500, 529])
    func `after five failures in a row one call at a time tries whether the provider is back`(
        _ backend: Backend, status: Int
    ) async throws {
        try await run(backend, jobs: 30) { harness, ids in
            let attempts = try await harness.claim(6)
            harness.clock.advance(100)
            for attempt in attempts { try await harness.meet(Sample.refusal(status), attempt) }
            #expect(try await harness.route().gate?.reason == .breaker)
            #expect(try await harness.job(ids[20]).waitingFor?.reason == .breaker)
            for attempt in attempts {
                #expect(try await harness.job(attempt.key.job).attemptsCounted == 0)
            }

            let cooling = try #require(try await harness.fullClaim().wakeAfter)
            #expect(cooling <= 5_000)
            harness.clock.advance(5_000)
            let probe = try await harness.claim(10)
            #expect(probe.count == 1)
            #expect(try await harness.claim(10).isEmpty)
            harness.clock.advance(100)
            try await harness.meet(Sample.refusal(status), try #require(probe.first))
            #expect(try await harness.claim(10).isEmpty)

            harness.clock.advance(10_000)
            let second = try await harness.claim(10)
            #expect(second.count == 1)
            harness.clock.advance(100)
            try await harness.succeed(try #require(second.first))
            #expect(try await harness.route().gate == nil)
            #expect(try await harness.claim(10).count == 2)
        }
    }

    @Test(arguments: Backend.allCases)
    func `an overloaded provider's retry-after is heeded`(_ backend: Backend) async throws {
        try await run(backend, jobs: 30) { harness, _ in
            let attempts = try await harness.claim(5)
            harness.clock.advance(100)
            for attempt in attempts {
                try await harness.meet(Sample.refusal(529, retryAfter: 40_000), attempt)
            }
            harness.clock.advance(39_999)
            #expect(try await harness.claim().isEmpty)
            harness.clock.advance(5_001)
            #expect(try await harness.claim().count == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a success between failures keeps the gate open`(_ backend: Backend) async throws {
        try await run(backend, jobs: 30) { harness, _ in
            for attempt in try await harness.claim(4) { try await harness.meet(Sample.refusal(500), attempt) }
            harness.clock.advance(10)
            try await harness.succeed(try await harness.claimOne())
            for attempt in try await harness.claim(4) { try await harness.meet(Sample.refusal(500), attempt) }
            #expect(try await harness.route().gate == nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a 401 holds the route, not the jobs, until a mended key is accepted`(_ backend: Backend)
        async throws
    {
        try await run(backend, jobs: 9) { harness, ids in
            let attempts = try await harness.claim(3)
            harness.clock.advance(100)
            for attempt in attempts { try await harness.meet(Sample.refusal(401), attempt) }
            #expect(try await harness.states(ids).allSatisfy { $0 == .queued })
            let gate = try await harness.route().gate
            #expect(gate?.reason == .pause)
            #expect(gate?.detail.contains("401") == true)
            for _ in 0..<3 {
                harness.clock.advance(4_000)
                let probe = try await harness.claim(5)
                #expect(probe.count == 1)
                harness.clock.advance(50)
                try await harness.meet(Sample.refusal(401), try #require(probe.first))
            }
            harness.clock.advance(4_000)
            let probe = try await harness.claimOne()
            #expect(try await harness.job(probe.key.job).attemptsCounted == 0)
            harness.clock.advance(50)
            try await harness.succeed(probe)
            #expect(try await harness.route().gate == nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `one 403 is its job's affair`(_ backend: Backend) async throws {
        try await run(backend, jobs: 9) { harness, ids in
            let attempt = try await harness.claimOne()
            harness.clock.advance(100)
            #expect(try await harness.meet(Sample.refusal(403), attempt) == .settled(.failed))
            let probe = try await harness.claim(5)
            #expect(probe.count == 1)
            harness.clock.advance(100)
            try await harness.succeed(try #require(probe.first))
            #expect(try await harness.route().gate == nil)
            #expect(try await harness.states([ids[0]]) == [.failed])
        }
    }

    /// As a status, and as an error event in a stream that began with 200.
    @Test(
        arguments: Backend.allCases,
        [Sample.refusal(403), Sample.refusal(200, type: "permission_error")])
    func `a second 403 in a row pauses the route, and fails nothing more`(
        _ backend: Backend, refusal: Outcome
    ) async throws {
        try await run(backend, jobs: 9) { harness, ids in
            for _ in 0..<2 {
                let attempt = try await harness.claimOne()
                harness.clock.advance(100)
                try await harness.meet(refusal, attempt)
            }
            #expect(try await harness.claim().isEmpty)
            #expect(try await harness.route().gate?.detail.contains("403") == true)
            let failed = try await harness.states(ids).count { $0 == .failed }
            #expect(failed == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `jobs that are forbidden each for itself do not hold the others for ever`(_ backend: Backend)
        async throws
    {
        try await run(backend, jobs: 9) { harness, ids in
            var done: Set<JobID> = []
            for _ in 0..<120 where done.count < 7 {
                for attempt in try await harness.claim(5) {
                    harness.clock.advance(50)
                    if attempt.key.job == ids[0] || attempt.key.job == ids[1] {
                        try await harness.meet(Sample.refusal(403), attempt)
                    } else {
                        try await harness.succeed(attempt)
                        done.insert(attempt.key.job)
                    }
                }
                harness.clock.advance(5_000)
            }
            #expect(done.count == 7)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a spend cap pauses the route, says until when, and is probed`(_ backend: Backend) async throws {
        try await run(backend, jobs: 9) { harness, ids in
            let attempt = try await harness.claimOne()
            harness.clock.advance(100)
            let capped = Sample.refusal(402, type: "billing_error", message: "access returns 2026-12-01")
            try await harness.meet(capped, attempt)
            #expect(try await harness.states([attempt.key.job]) == [.queued])
            #expect(try await harness.job(attempt.key.job).attemptsCounted == 0)
            let waiting = try await harness.job(ids[5]).waitingFor
            #expect(waiting?.reason == .providerSpendLimit)
            #expect(waiting?.detail.contains("2026-12-01") == true)

            harness.clock.advance(10_000)
            let probe = try await harness.claim(5)
            #expect(probe.count == 1)
            harness.clock.advance(100)
            try await harness.meet(capped, try #require(probe.first))
            harness.clock.advance(300_000)
            let second = try await harness.claimOne()
            harness.clock.advance(100)
            try await harness.succeed(second)
            #expect(try await harness.route().gate == nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a 400 that reads like a spend cap is believed when a probe confirms it`(_ backend: Backend)
        async throws
    {
        let reads = Sample.refusal(
            400, type: "invalid_request_error",
            message:
                "You have reached your specified API usage limits. Access returns on 2026-12-01 at 00:00 UTC."
        )
        try await run(backend, jobs: 9) { harness, ids in
            let first = try await harness.claimOne()
            harness.clock.advance(100)
            #expect(try await harness.meet(reads, first) == .settled(.queued))
            let probe = try await harness.claim(5)
            #expect(probe.count == 1)
            harness.clock.advance(100)
            try await harness.meet(reads, try #require(probe.first))
            #expect(try await harness.claim().isEmpty)
            #expect(try await harness.route().gate?.reason == .providerSpendLimit)
            #expect(try await harness.states(ids).allSatisfy { $0 == .queued })
        }
    }

    @Test(arguments: Backend.allCases)
    func `such a 400 fails its job where others succeed meanwhile`(_ backend: Backend) async throws {
        let reads = Sample.refusal(400, message: "usage limits are my topic")
        try await run(backend, jobs: 2) { harness, _ in
            let attempts = try await harness.claim(2)
            harness.clock.advance(100)
            try await harness.succeed(attempts[1])
            #expect(try await harness.meet(reads, attempts[0]) == .settled(.failed))
        }
    }

    @Test(arguments: Backend.allCases)
    func `a probe that is handed back makes room for the next at once`(_ backend: Backend) async throws {
        try await run(backend, jobs: 9) { harness, _ in
            let attempt = try await harness.claimOne()
            harness.clock.advance(100)
            try await harness.meet(Sample.refusal(401), attempt)
            harness.clock.advance(4_000)
            let probe = try await harness.claimOne()
            harness.clock.advance(10)
            try await harness.settle(probe.key, .handedBack(sent: false))
            #expect(try await harness.claim(5).count == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a probe whose worker died is not waited for for ever`(_ backend: Backend) async throws {
        try await run(backend, jobs: 9) { harness, _ in
            let attempt = try await harness.claimOne()
            harness.clock.advance(100)
            try await harness.meet(Sample.refusal(401), attempt)
            harness.clock.advance(4_000)
            _ = try await harness.claimOne()
            let wait = try #require(try await harness.fullClaim().wakeAfter)
            #expect(wait <= 60_000)
            harness.clock.advance(wait)
            _ = try await harness.store.reap()
            #expect(try await harness.claim(5).count == 1)
        }
    }
}
