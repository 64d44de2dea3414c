import Jobs
import Testing

@Suite struct SettleTests {
    @Test(arguments: Backend.allCases)
    func `an attempt that lost its job never changes it`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let ids = try await bench.enqueue([try Sample.job("one") { $0.cache = .off }])
            let stale = try await bench.claimOne()
            bench.clock.advance(30_000)
            _ = try await bench.store.reap(now: bench.now)
            let fresh = try await bench.claimOne()
            #expect(fresh.key == AttemptKey(job: ids[0], number: 2))

            let error = JobError(type: "invalid_request_error", message: "no", retryable: false)
            #expect(try await bench.settle(stale.key, .failed(error)) == .late)
            #expect(try await bench.job(ids[0]).state == .running)
            #expect(try await bench.succeed(fresh, "fresh") == .settled(.succeeded))
            #expect(try await bench.succeed(stale, "stale") == .repeated)
            #expect(try await bench.job(ids[0]).response == Sample.answer("fresh").body)
        }
    }

    @Test(arguments: Backend.allCases)
    func `an answer that comes too late is paid for, and kept for the next claim`(_ backend: Backend)
        async throws
    {
        try await Bench.run(backend) { bench in
            let ids = try await bench.enqueue("one")
            let stale = try await bench.claimOne()
            bench.clock.advance(30_000)
            _ = try await bench.store.reap(now: bench.now)
            let writtenOff = try #require(try await bench.store.attempts(of: ids[0])?.first)
            #expect(writtenOff.fate == .writtenOff)
            #expect(writtenOff.maybePaid > .zero)

            #expect(try await bench.succeed(stale) == .late)
            #expect(try await bench.succeed(stale) == .repeated)
            let known = try #require(try await bench.store.attempts(of: ids[0])?.first)
            #expect(known.maybePaid == .zero)
            #expect(known.cost == Sample.cost)

            let claim = try await bench.fullClaim()
            #expect(claim.attempts.isEmpty)
            #expect(claim.settledFromCache == 1)
            let job = try await bench.job(ids[0])
            #expect(job.state == .succeeded)
            #expect(job.cost == Sample.cost)
            let spend = try #require(try await bench.store.stats(now: bench.now).spend.first)
            #expect(spend.calls == 1)
            #expect(spend.cost == Sample.cost)
        }
    }

    @Test(arguments: Backend.allCases)
    func `an answer for a cancelled job is paid for and changes nothing else`(_ backend: Backend)
        async throws
    {
        try await Bench.run(backend) { bench in
            let ids = try await bench.enqueue("one")
            let attempt = try await bench.claimOne()
            _ = try await bench.store.cancel(ids[0], now: bench.now)
            #expect(try await bench.succeed(attempt) == .late)
            let job = try await bench.job(ids[0])
            #expect(job.state == .cancelled)
            #expect(job.cost == Sample.cost)
            #expect(job.response == nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a settlement of what never was changes nothing`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let ids = try await bench.enqueue("one")
            let attempt = try await bench.claimOne()
            var key = attempt.key
            key.number = 7
            #expect(try await bench.settle(key, .handedBack(sent: false)) == .repeated)
            let unknown = AttemptKey(job: JobID(99), number: 1)
            #expect(try await bench.settle(unknown, .handedBack(sent: false)) == .repeated)
            #expect(try await bench.states(ids) == [.running])
        }
    }

    @Test(arguments: Backend.allCases)
    func `an outage is nobody's fault`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let ids = try await bench.enqueue([try Sample.job("one") { $0.maxAttempts = 2 }])
            for failure in 1...6 {
                let attempt = try await bench.claimOne()
                #expect(attempt.failures == failure - 1)
                try await bench.meet(Sample.refusal(500), attempt)
                bench.clock.advance(120_000)
            }
            let job = try await bench.job(ids[0])
            #expect(job.state == .queued)
            #expect(job.attempt == 6)
            #expect(job.attemptsCounted == 0)
            #expect(job.error?.type == "api_error")
        }
    }

    @Test(arguments: Backend.allCases)
    func `a failure counts where others succeeded since its claim, and the last one ends the job`(
        _ backend: Backend
    ) async throws {
        try await Bench.run(backend) { bench in
            let ids = try await bench.enqueue([try Sample.job("bad") { $0.maxAttempts = 2 }])
            for failure in 1...2 {
                try await bench.enqueue("good \(failure)")
                let attempts = try await bench.claim()
                #expect(attempts.count == 2)
                for attempt in attempts where attempt.key.job != ids[0] { try await bench.succeed(attempt) }
                for attempt in attempts where attempt.key.job == ids[0] {
                    try await bench.meet(Sample.refusal(500), attempt)
                }
                #expect(try await bench.job(ids[0]).attemptsCounted == failure)
                bench.clock.advance(120_000)
            }
            let job = try await bench.job(ids[0])
            #expect(job.state == .failed)
            #expect(job.error?.message.contains("2 counted attempts") == true)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a success before the claim proves nothing of a failure after it`(_ backend: Backend)
        async throws
    {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            let ids = try await bench.enqueue([try Sample.job("bad") { $0.maxAttempts = 1 }])
            try await bench.meet(Sample.refusal(503), try await bench.claimOne())
            #expect(try await bench.job(ids[0]).attemptsCounted == 0)
            #expect(try await bench.states(ids) == [.queued])
        }
    }

    @Test(arguments: Backend.allCases)
    func `a retry waits for its backoff and says so`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let ids = try await bench.enqueue("one")
            let error = JobError(type: "api_error", message: "down", retryable: true)
            let attempt = try await bench.claimOne()
            try await bench.settle(attempt.key, .again(after: 2_500, error, .never), .unavailable)
            let waiting = try await bench.job(ids[0]).waitingFor
            #expect(waiting?.gate == .retry)
            #expect(waiting?.until == bench.now.timestamp + 2_500)
            #expect(try await bench.fullClaim().wakeAfter == 2_500)
            bench.clock.advance(2_500)
            #expect(try await bench.claimOne().failures == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a call handed back unsent is no call`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let limits = RouteLimits(requests: 100, inputTokens: 1_000, outputTokens: 1_000)
            try await bench.store.configure(route: Sample.route, limits: limits, now: bench.now)
            let ids = try await bench.enqueue("one")
            let before = try await bench.route()
            let attempt = try await bench.claimOne()
            #expect(try await bench.route().requests?.available == 97)
            #expect(
                try await bench.settle(attempt.key, .handedBack(sent: false)) == .settled(.queued))
            let after = try await bench.route()
            #expect(after.requests == before.requests)
            #expect(after.inputTokens == before.inputTokens)
            #expect(after.outputTokens == before.outputTokens)
            #expect(try await bench.job(ids[0]).attemptsCounted == 0)
            #expect(try await bench.store.stats(now: bench.now).spend.first?.calls ?? 0 == 0)
            #expect(try await bench.claimOne().key.number == 2)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a job's history tells each attempt`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let ids = try await bench.enqueue("one")
            try await bench.meet(
                Sample.refusal(500, type: "api_error", message: "down"), try await bench.claimOne())
            bench.clock.advance(60_000)
            var settlement = Sample.success(try await bench.claimOne().key)
            settlement.requestID = "req_1"
            bench.clock.advance(700)
            _ = try await bench.store.settle(settlement, now: bench.now)
            let history = try #require(try await bench.store.attempts(of: ids[0]))
            #expect(history.map(\.number) == [1, 2])
            #expect(history.map(\.verdict) == ["again", "succeeded"])
            #expect(history.map(\.counted) == [false, true])
            #expect(history[0].error?.message == "down")
            #expect(history[1].worker == "bench")
            #expect(history[1].requestID == "req_1")
            #expect(history[1].usage == Sample.answer().usage)
            #expect(history[1].closedAt == bench.now.timestamp)
            #expect(try await bench.store.attempts(of: JobID(5)) == nil)
        }
    }
}
