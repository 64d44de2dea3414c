import Jobs
import Testing
import TestSupport

/// Identical prompts in flight: one call, many answers.
@Suite struct SharingTests {
    /// Three jobs of one prompt: the first holds the call, the others wait for it.
    private func leader(_ harness: StoreHarness) async throws -> (ids: [JobID], attempt: ClaimedAttempt) {
        let ids = try await harness.enqueue("one", "one", "one")
        let attempts = try await harness.claim()
        #expect(attempts.map(\.key.job) == [ids[0]])
        #expect(try await harness.job(ids[1]).waitingFor?.reason == .identicalPrompt)
        #expect(try await harness.claim().isEmpty)
        return (ids, try #require(attempts.first))
    }

    @Test(arguments: Backend.allCases)
    func `identical prompts wait for the one call and share its answer`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let (ids, attempt) = try await leader(harness)
            try await harness.succeed(attempt)
            let claim = try await harness.fullClaim()
            #expect(claim.attempts.isEmpty)
            #expect(claim.settledFromCache == 2)
            #expect(try await harness.states(ids) == [.succeeded, .succeeded, .succeeded])
            #expect(try await harness.store.stats().spend.first?.calls == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `when the call is refused the next one inherits it`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let (ids, attempt) = try await leader(harness)
            try await harness.meet(Sample.refusal(400), attempt)
            let next = try await harness.claim()
            #expect(next.map(\.key.job) == [ids[1]])
            #expect(try await harness.job(ids[2]).waitingFor?.reason == .identicalPrompt)
            try await harness.succeed(try #require(next.first))
            #expect(try await harness.fullClaim().settledFromCache == 1)
            #expect(try await harness.states(ids) == [.failed, .succeeded, .succeeded])
        }
    }

    @Test(arguments: Backend.allCases)
    func `when the answer is no good for others they call side by side`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let (ids, attempt) = try await leader(harness)
            var settlement = Sample.success(attempt.key)
            settlement.answer = Sample.answer("cut", stopReason: "max_tokens")
            _ = try await harness.store.settle(settlement)
            #expect(try await harness.claim().map(\.key.job) == Array(ids.dropFirst()))
        }
    }

    @Test(arguments: Backend.allCases)
    func `those that called side by side wait for their revoked calls if they are asked for anew`(
        _ backend: Backend
    ) async throws {
        try await StoreHarness.run(backend) { harness in
            let (ids, attempt) = try await leader(harness)
            var settlement = Sample.success(attempt.key)
            settlement.answer = Sample.answer("cut", stopReason: "max_tokens")
            _ = try await harness.store.settle(settlement)
            let attempts = try await harness.claim()
            #expect(attempts.count == ids.count - 1 && attempts.count > 1)
            for id in ids.dropFirst() {
                #expect(try await harness.store.cancel(id) == .changed)
                #expect(try await harness.store.retry(id, change: RetryChange()) == .changed)
            }
            #expect(try await harness.claim().isEmpty)
            try harness.audit()
            for attempt in attempts {
                #expect(try await harness.settle(attempt.key, .handedBack(sent: true)) == .late)
            }
            #expect(try await harness.claim().count == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a queued job that is mended leaves its call to those that wait for it`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            let (ids, attempt) = try await leader(harness)
            try await harness.meet(Sample.refusal(500), attempt)
            let change = RetryChange(maxTokens: 99)
            #expect(try await harness.store.retry(ids[0], change: change) == .changed)
            #expect(try await harness.claim().map(\.key.job) == [ids[1]])
        }
    }

    @Test(arguments: Backend.allCases)
    func `a cancelled call is not repeated before its worker has given it up`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            let (ids, attempt) = try await leader(harness)
            #expect(try await harness.store.cancel(ids[0]) == .changed)
            #expect(try await harness.claim().isEmpty)
            #expect(try await harness.settle(attempt.key, .handedBack(sent: true)) == .late)
            #expect(try await harness.claim().map(\.key.job) == [ids[1]])
        }
    }

    @Test(arguments: Backend.allCases)
    func `a cancelled call that is answered after all serves those that wait`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            let (ids, attempt) = try await leader(harness)
            _ = try await harness.store.cancel(ids[0])
            #expect(try await harness.succeed(attempt) == .late)
            #expect(try await harness.fullClaim().settledFromCache == 2)
            #expect(try await harness.states(ids) == [.cancelled, .succeeded, .succeeded])
        }
    }

    @Test(arguments: Backend.allCases)
    func `when the worker dies the call goes on, and those that wait still share it`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            let (ids, _) = try await leader(harness)
            harness.clock.advance(30_000)
            #expect(try await harness.store.reap().writtenOff == 1)
            let next = try await harness.claim()
            #expect(next.count == 1)
            try await harness.succeed(try #require(next.first))
            #expect(try await harness.fullClaim().settledFromCache == 2)
            #expect(try await harness.states(ids) == [.succeeded, .succeeded, .succeeded])
        }
    }

    @Test(arguments: Backend.allCases)
    func `a job that goes back into a paused queue keeps nobody waiting`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.enqueue([try Sample.job("one", queue: "mine")])
            let attempt = try await harness.claimOne()
            let other = try await harness.enqueue([try Sample.job("one", queue: "yours")])
            #expect(try await harness.claim().isEmpty)
            _ = try await harness.store.update(queue: "mine", QueuePatch(paused: true))
            try await harness.settle(attempt.key, .handedBack(sent: false))
            #expect(try await harness.claim().map(\.key.job) == other)
        }
    }

    @Test(arguments: Backend.allCases)
    func `who inherits a call inherits its backoff`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let (ids, attempt) = try await leader(harness)
            let error = JobError(type: "api_error", message: "down", retryable: true)
            try await harness.settle(attempt.key, .again(after: 4_000, error, .never), .unavailable)
            harness.clock.advance(3_999)
            #expect(try await harness.claim().isEmpty)
            harness.clock.advance(1)
            let next = try await harness.claim()
            #expect(next.count == 1)
            try await harness.succeed(try #require(next.first))
            _ = try await harness.claim()
            #expect(try await harness.states(ids) == [.succeeded, .succeeded, .succeeded])
        }
    }

    @Test(arguments: Backend.allCases)
    func `the same prompt on two routes is two calls, and each has its own followers`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            let services = [Sample.service, Sample.otherService]
            let there = try await harness.enqueue([
                try Sample.job("one", route: Sample.otherRoute),
                try Sample.job("one", route: Sample.otherRoute),
            ])
            let here = try await harness.enqueue("one", "one")
            let attempts = try await harness.claim(services: services)
            #expect(Set(attempts.map(\.key.job)) == [there[0], here[0]])
            let mine = try #require(attempts.first { $0.key.job == here[0] })
            try await harness.meet(Sample.refusal(400), mine)
            #expect(try await harness.claim(services: services).map(\.key.job) == [here[1]])
        }
    }

    @Test(arguments: Backend.allCases)
    func `two thousand followers are released in chunks, and all get the answer`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            let ids = try await harness.enqueue(try (0..<2_001).map { _ in try Sample.job("one") })
            let attempt = try await harness.claimOne()
            // Each claim does bounded work, and says when some is left.
            var turns = 0
            while try await harness.fullClaim().more, turns < 20 { turns += 1 }
            #expect(turns >= 3 && turns < 20)
            #expect(try await harness.job(ids[2_000]).waitingFor?.reason == .identicalPrompt)
            try await harness.succeed(attempt)

            var settled = 0
            for _ in 0..<10 {
                let claim = try await harness.fullClaim()
                #expect(claim.settledFromCache <= 500)
                settled += claim.settledFromCache
                if !claim.more { break }
            }
            #expect(settled == 2_000)
            #expect(try await harness.store.stats().counts.succeeded == 2_002)
        }
    }
}
