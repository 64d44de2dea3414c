import Jobs
import Testing
import TestSupport

@Suite struct SettleTests {
    @Test(arguments: Backend.allCases)
    func `an attempt that lost its job never changes it`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let ids = try await harness.enqueue([try Sample.job("one") { $0.cache = .off }])
            let stale = try await harness.claimOne()
            harness.clock.advance(30_000)
            _ = try await harness.store.reap()
            let fresh = try await harness.claimOne()
            #expect(fresh.key == AttemptKey(job: ids[0], number: 2))

            let error = JobError(type: "invalid_request_error", message: "no", retryable: false)
            #expect(try await harness.settle(stale.key, .failed(error)) == .late)
            #expect(try await harness.job(ids[0]).state == .running)
            #expect(try await harness.succeed(fresh, "fresh") == .settled(.succeeded))
            #expect(try await harness.succeed(stale, "stale") == .repeated)
            #expect(try await harness.job(ids[0]).response == Sample.answer("fresh").body)
        }
    }

    @Test(arguments: Backend.allCases)
    func `an answer that comes too late is paid for, and kept for the next claim`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            let ids = try await harness.enqueue("one")
            let stale = try await harness.claimOne()
            harness.clock.advance(30_000)
            _ = try await harness.store.reap()
            let writtenOff = try #require(try await harness.store.attempts(of: ids[0])?.first)
            #expect(writtenOff.status == .writtenOff)
            #expect(writtenOff.unconfirmedCost > .zero)

            #expect(try await harness.succeed(stale) == .late)
            #expect(try await harness.succeed(stale) == .repeated)
            let known = try #require(try await harness.store.attempts(of: ids[0])?.first)
            #expect(known.unconfirmedCost == .zero)
            #expect(known.cost == Sample.cost)

            let claim = try await harness.fullClaim()
            #expect(claim.attempts.isEmpty)
            #expect(claim.settledFromCache == 1)
            let job = try await harness.job(ids[0])
            #expect(job.state == .succeeded)
            #expect(job.cost == Sample.cost)
            let spend = try #require(try await harness.store.stats().spend.first)
            #expect(spend.calls == 1)
            #expect(spend.cost == Sample.cost)
        }
    }

    @Test(arguments: Backend.allCases)
    func `an answer for a cancelled job is paid for and changes nothing else`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            let ids = try await harness.enqueue("one")
            let attempt = try await harness.claimOne()
            _ = try await harness.store.cancel(ids[0])
            #expect(try await harness.succeed(attempt) == .late)
            let job = try await harness.job(ids[0])
            #expect(job.state == .cancelled)
            #expect(job.cost == Sample.cost)
            #expect(job.response == nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a settlement of what never was changes nothing`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let ids = try await harness.enqueue("one")
            let attempt = try await harness.claimOne()
            var key = attempt.key
            key.number = 7
            #expect(try await harness.settle(key, .handedBack(sent: false)) == .repeated)
            let unknown = AttemptKey(job: JobID(99), number: 1)
            #expect(try await harness.settle(unknown, .handedBack(sent: false)) == .repeated)
            #expect(try await harness.states(ids) == [.running])
        }
    }

    @Test(arguments: Backend.allCases)
    func `an outage is nobody's fault`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let ids = try await harness.enqueue([try Sample.job("one") { $0.maxAttempts = 2 }])
            for failure in 1...6 {
                let attempt = try await harness.claimOne()
                #expect(attempt.failures == failure - 1)
                try await harness.meet(Sample.refusal(500), attempt)
                harness.clock.advance(120_000)
            }
            let job = try await harness.job(ids[0])
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
        try await StoreHarness.run(backend) { harness in
            let ids = try await harness.enqueue([try Sample.job("bad") { $0.maxAttempts = 2 }])
            for failure in 1...2 {
                try await harness.enqueue("good \(failure)")
                let attempts = try await harness.claim()
                #expect(attempts.count == 2)
                for attempt in attempts where attempt.key.job != ids[0] { try await harness.succeed(attempt) }
                for attempt in attempts where attempt.key.job == ids[0] {
                    try await harness.meet(Sample.refusal(500), attempt)
                }
                #expect(try await harness.job(ids[0]).attemptsCounted == failure)
                harness.clock.advance(120_000)
            }
            let job = try await harness.job(ids[0])
            #expect(job.state == .failed)
            #expect(job.error?.message.contains("2 counted attempts") == true)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a success before the claim proves nothing of a failure after it`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            let ids = try await harness.enqueue([try Sample.job("bad") { $0.maxAttempts = 1 }])
            try await harness.meet(Sample.refusal(503), try await harness.claimOne())
            #expect(try await harness.job(ids[0]).attemptsCounted == 0)
            #expect(try await harness.states(ids) == [.queued])
        }
    }

    @Test(arguments: Backend.allCases)
    func `a retry waits for its backoff and says so`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let ids = try await harness.enqueue("one")
            let error = JobError(type: "api_error", message: "down", retryable: true)
            let attempt = try await harness.claimOne()
            try await harness.settle(attempt.key, .again(after: 2_500, error, .never), .unavailable)
            let waiting = try await harness.job(ids[0]).waitingFor
            #expect(waiting?.reason == .retry)
            #expect(waiting?.until == harness.now.timestamp + 2_500)
            #expect(try await harness.fullClaim().wakeAfter == 2_500)
            harness.clock.advance(2_500)
            #expect(try await harness.claimOne().failures == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a call handed back unsent is no call`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let limits = RouteLimits(requests: 100, inputTokens: 1_000, outputTokens: 1_000)
            try await harness.store.configure(route: Sample.route, limits: limits)
            let ids = try await harness.enqueue("one")
            let before = try await harness.route()
            let attempt = try await harness.claimOne()
            #expect(try await harness.route().requests?.available == 97)
            #expect(
                try await harness.settle(attempt.key, .handedBack(sent: false)) == .settled(.queued))
            let after = try await harness.route()
            #expect(after.requests == before.requests)
            #expect(after.inputTokens == before.inputTokens)
            #expect(after.outputTokens == before.outputTokens)
            #expect(try await harness.job(ids[0]).attemptsCounted == 0)
            #expect(try await harness.store.stats().spend.first?.calls ?? 0 == 0)
            #expect(try await harness.claimOne().key.number == 2)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a job's history tells each attempt`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let ids = try await harness.enqueue("one")
            try await harness.meet(
                Sample.refusal(500, type: "api_error", message: "down"), try await harness.claimOne())
            harness.clock.advance(60_000)
            var settlement = Sample.success(try await harness.claimOne().key)
            settlement.requestID = "req_1"
            harness.clock.advance(700)
            _ = try await harness.store.settle(settlement)
            let history = try #require(try await harness.store.attempts(of: ids[0]))
            #expect(history.map(\.number) == [1, 2])
            #expect(history.map(\.verdict) == ["again", "succeeded"])
            #expect(history.map(\.counted) == [false, true])
            #expect(history[0].error?.message == "down")
            #expect(history[1].worker == "bench")
            #expect(history[1].requestID == "req_1")
            #expect(history[1].usage == Sample.answer().usage)
            #expect(history[1].closedAt == harness.now.timestamp)
            #expect(try await harness.store.attempts(of: JobID(5)) == nil)
        }
    }
}
