import Jobs
import Testing

/// What a provider's refusals do to their route, for all workers at once.
@Suite struct GateTests {
    /// A bench whose route is known and has so many jobs ready.
    private func run(_ backend: Backend, jobs: Int, _ body: (Bench, [JobID]) async throws -> Void)
        async throws
    {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            try await body(bench, try await bench.enqueue(try Sample.jobs(jobs)))
        }
    }

    @Test(arguments: Backend.allCases)
    func `a 429 closes the gate for all until its retry-after, and nobody is blamed`(_ backend: Backend)
        async throws
    {
        try await run(backend, jobs: 9) { bench, ids in
            let attempt = try await bench.claimOne()
            bench.clock.advance(300)
            try await bench.meet(
                Sample.refusal(429, type: "rate_limit_error", retryAfter: 7_000), attempt)
            #expect(try await bench.job(attempt.key.job).attemptsCounted == 0)
            #expect(try await bench.states([attempt.key.job]) == [.queued])
            let gate = try await bench.route().gate
            #expect(gate?.gate == .rateLimit)
            #expect(try await bench.job(ids[3]).waitingFor?.gate == .rateLimit)

            let other = try await bench.store.register(
                NewWorker(name: "other", host: "there", processID: 2, slots: 5), now: bench.now)
            bench.clock.advance(6_999)
            let closed = try await bench.fullClaim(as: other)
            #expect(closed.attempts.isEmpty)
            let wait = try #require(closed.wakeAfter)
            #expect(wait >= 1 && wait <= 400)
            bench.clock.advance(wait)
            #expect(!(try await bench.claim(as: other).isEmpty))
        }
    }

    @Test(arguments: Backend.allCases)
    func `after a 429 the route starts again slowly`(_ backend: Backend) async throws {
        try await run(backend, jobs: 60) { bench, _ in
            let attempt = try await bench.claimOne()
            bench.clock.advance(300)
            try await bench.meet(Sample.refusal(429, retryAfter: 1_000), attempt)
            let until = try #require(try await bench.fullClaim().wakeAfter)
            bench.clock.advance(until)
            var flying = 0
            var counts: [Int] = []
            for _ in 0..<5 {
                flying += try await bench.claim(60).count
                counts.append(flying)
                bench.clock.advance(500)
            }
            #expect(counts == [2, 3, 5, 9, 17])
            bench.clock.advance(2_500)
            #expect(try await bench.claim(60).count == 43)
        }
    }

    @Test(arguments: Backend.allCases)
    func `without a retry-after the wait grows with each 429`(_ backend: Backend) async throws {
        try await run(backend, jobs: 3) { bench, _ in
            var waits: [Milliseconds] = []
            for _ in 0..<9 {
                let attempt = try await bench.claimOne()
                bench.clock.advance(100)
                try await bench.meet(Sample.refusal(429), attempt)
                let wait = try #require(try await bench.fullClaim().wakeAfter)
                waits.append(wait)
                bench.clock.advance(wait)
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
        try await run(backend, jobs: 9) { bench, _ in
            let attempts = try await bench.claim(3)
            bench.clock.advance(200)
            try await bench.meet(Sample.refusal(429, retryAfter: 20_000), attempts[0])
            bench.clock.advance(200)
            try await bench.succeed(attempts[1])
            #expect(try await bench.claim().isEmpty)
            // A shorter wait that is heard later does not shorten it either.
            try await bench.meet(Sample.refusal(429, retryAfter: 1_000), attempts[2])
            bench.clock.advance(5_000)
            #expect(try await bench.claim().isEmpty)
        }
    }

    @Test(arguments: Backend.allCases, [500, 529])
    func `after five failures in a row one call at a time tries whether the provider is back`(
        _ backend: Backend, status: Int
    ) async throws {
        try await run(backend, jobs: 30) { bench, ids in
            let attempts = try await bench.claim(6)
            bench.clock.advance(100)
            for attempt in attempts { try await bench.meet(Sample.refusal(status), attempt) }
            #expect(try await bench.route().gate?.gate == .breaker)
            #expect(try await bench.job(ids[20]).waitingFor?.gate == .breaker)
            for attempt in attempts {
                #expect(try await bench.job(attempt.key.job).attemptsCounted == 0)
            }

            let cooling = try #require(try await bench.fullClaim().wakeAfter)
            #expect(cooling <= 5_000)
            bench.clock.advance(5_000)
            let probe = try await bench.claim(10)
            #expect(probe.count == 1)
            #expect(try await bench.claim(10).isEmpty)
            bench.clock.advance(100)
            try await bench.meet(Sample.refusal(status), try #require(probe.first))
            #expect(try await bench.claim(10).isEmpty)

            bench.clock.advance(10_000)
            let second = try await bench.claim(10)
            #expect(second.count == 1)
            bench.clock.advance(100)
            try await bench.succeed(try #require(second.first))
            #expect(try await bench.route().gate == nil)
            #expect(try await bench.claim(10).count == 2)
        }
    }

    @Test(arguments: Backend.allCases)
    func `an overloaded provider's retry-after is heeded`(_ backend: Backend) async throws {
        try await run(backend, jobs: 30) { bench, _ in
            let attempts = try await bench.claim(5)
            bench.clock.advance(100)
            for attempt in attempts {
                try await bench.meet(Sample.refusal(529, retryAfter: 40_000), attempt)
            }
            bench.clock.advance(39_999)
            #expect(try await bench.claim().isEmpty)
            bench.clock.advance(5_001)
            #expect(try await bench.claim().count == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a success between failures keeps the gate open`(_ backend: Backend) async throws {
        try await run(backend, jobs: 30) { bench, _ in
            for attempt in try await bench.claim(4) { try await bench.meet(Sample.refusal(500), attempt) }
            bench.clock.advance(10)
            try await bench.succeed(try await bench.claimOne())
            for attempt in try await bench.claim(4) { try await bench.meet(Sample.refusal(500), attempt) }
            #expect(try await bench.route().gate == nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a 401 holds the route, not the jobs, until a mended key is accepted`(_ backend: Backend)
        async throws
    {
        try await run(backend, jobs: 9) { bench, ids in
            let attempts = try await bench.claim(3)
            bench.clock.advance(100)
            for attempt in attempts { try await bench.meet(Sample.refusal(401), attempt) }
            #expect(try await bench.states(ids).allSatisfy { $0 == .queued })
            let gate = try await bench.route().gate
            #expect(gate?.gate == .pause)
            #expect(gate?.detail.contains("401") == true)
            for _ in 0..<3 {
                bench.clock.advance(4_000)
                let probe = try await bench.claim(5)
                #expect(probe.count == 1)
                bench.clock.advance(50)
                try await bench.meet(Sample.refusal(401), try #require(probe.first))
            }
            bench.clock.advance(4_000)
            let probe = try await bench.claimOne()
            #expect(try await bench.job(probe.key.job).attemptsCounted == 0)
            bench.clock.advance(50)
            try await bench.succeed(probe)
            #expect(try await bench.route().gate == nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `one 403 is its job's affair`(_ backend: Backend) async throws {
        try await run(backend, jobs: 9) { bench, ids in
            let attempt = try await bench.claimOne()
            bench.clock.advance(100)
            #expect(try await bench.meet(Sample.refusal(403), attempt) == .settled(.failed))
            let probe = try await bench.claim(5)
            #expect(probe.count == 1)
            bench.clock.advance(100)
            try await bench.succeed(try #require(probe.first))
            #expect(try await bench.route().gate == nil)
            #expect(try await bench.states([ids[0]]) == [.failed])
        }
    }

    /// As a status, and as an error event in a stream that began with 200.
    @Test(
        arguments: Backend.allCases,
        [Sample.refusal(403), Sample.refusal(200, type: "permission_error")])
    func `a second 403 in a row pauses the route, and fails nothing more`(
        _ backend: Backend, refusal: Outcome
    ) async throws {
        try await run(backend, jobs: 9) { bench, ids in
            for _ in 0..<2 {
                let attempt = try await bench.claimOne()
                bench.clock.advance(100)
                try await bench.meet(refusal, attempt)
            }
            #expect(try await bench.claim().isEmpty)
            #expect(try await bench.route().gate?.detail.contains("403") == true)
            let failed = try await bench.states(ids).count { $0 == .failed }
            #expect(failed == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `jobs that are forbidden each for itself do not hold the others for ever`(_ backend: Backend)
        async throws
    {
        try await run(backend, jobs: 9) { bench, ids in
            var done: Set<JobID> = []
            for _ in 0..<120 where done.count < 7 {
                for attempt in try await bench.claim(5) {
                    bench.clock.advance(50)
                    if attempt.key.job == ids[0] || attempt.key.job == ids[1] {
                        try await bench.meet(Sample.refusal(403), attempt)
                    } else {
                        try await bench.succeed(attempt)
                        done.insert(attempt.key.job)
                    }
                }
                bench.clock.advance(5_000)
            }
            #expect(done.count == 7)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a spend cap pauses the route, says until when, and is probed`(_ backend: Backend) async throws {
        try await run(backend, jobs: 9) { bench, ids in
            let attempt = try await bench.claimOne()
            bench.clock.advance(100)
            let capped = Sample.refusal(402, type: "billing_error", message: "access returns 2026-12-01")
            try await bench.meet(capped, attempt)
            #expect(try await bench.states([attempt.key.job]) == [.queued])
            #expect(try await bench.job(attempt.key.job).attemptsCounted == 0)
            let waiting = try await bench.job(ids[5]).waitingFor
            #expect(waiting?.gate == .budget)
            #expect(waiting?.detail.contains("2026-12-01") == true)

            bench.clock.advance(10_000)
            let probe = try await bench.claim(5)
            #expect(probe.count == 1)
            bench.clock.advance(100)
            try await bench.meet(capped, try #require(probe.first))
            bench.clock.advance(300_000)
            let second = try await bench.claimOne()
            bench.clock.advance(100)
            try await bench.succeed(second)
            #expect(try await bench.route().gate == nil)
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
        try await run(backend, jobs: 9) { bench, ids in
            let first = try await bench.claimOne()
            bench.clock.advance(100)
            #expect(try await bench.meet(reads, first) == .settled(.queued))
            let probe = try await bench.claim(5)
            #expect(probe.count == 1)
            bench.clock.advance(100)
            try await bench.meet(reads, try #require(probe.first))
            #expect(try await bench.claim().isEmpty)
            #expect(try await bench.route().gate?.gate == .budget)
            #expect(try await bench.states(ids).allSatisfy { $0 == .queued })
        }
    }

    @Test(arguments: Backend.allCases)
    func `such a 400 fails its job where others succeed meanwhile`(_ backend: Backend) async throws {
        let reads = Sample.refusal(400, message: "usage limits are my topic")
        try await run(backend, jobs: 2) { bench, _ in
            let attempts = try await bench.claim(2)
            bench.clock.advance(100)
            try await bench.succeed(attempts[1])
            #expect(try await bench.meet(reads, attempts[0]) == .settled(.failed))
        }
    }

    @Test(arguments: Backend.allCases)
    func `a probe that is handed back makes room for the next at once`(_ backend: Backend) async throws {
        try await run(backend, jobs: 9) { bench, _ in
            let attempt = try await bench.claimOne()
            bench.clock.advance(100)
            try await bench.meet(Sample.refusal(401), attempt)
            bench.clock.advance(4_000)
            let probe = try await bench.claimOne()
            bench.clock.advance(10)
            try await bench.settle(probe.key, .handedBack(sent: false))
            #expect(try await bench.claim(5).count == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a probe whose worker died is not waited for for ever`(_ backend: Backend) async throws {
        try await run(backend, jobs: 9) { bench, _ in
            let attempt = try await bench.claimOne()
            bench.clock.advance(100)
            try await bench.meet(Sample.refusal(401), attempt)
            bench.clock.advance(4_000)
            _ = try await bench.claimOne()
            let wait = try #require(try await bench.fullClaim().wakeAfter)
            #expect(wait <= 60_000)
            bench.clock.advance(wait)
            _ = try await bench.store.reap(now: bench.now)
            #expect(try await bench.claim(5).count == 1)
        }
    }
}
