import JSON
import Jobs
import Testing
import TestSupport

/// Cancelling and retrying, one by one and by filter.
@Suite struct ChangeTests {
    private func fail(_ harness: StoreHarness, _ attempt: ClaimedAttempt) async throws {
        try await harness.meet(Sample.refusal(400, message: "no"), attempt)
    }

    @Test(arguments: Backend.allCases)
    func `a queued job is cancelled and never claimed`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let ids = try await harness.enqueue([
                try Sample.job("ready"), try Sample.job("held") { $0.delay = 1_000 },
            ])
            for id in ids { #expect(try await harness.store.cancel(id) == .changed) }
            harness.clock.advance(1_000)
            #expect(try await harness.claim().isEmpty)
            #expect(try await harness.states(ids) == [.cancelled, .cancelled])
            #expect(try await harness.job(ids[0]).finishedAt != nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `cancelling what is over is refused, and what is not known is unknown`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            let ids = try await harness.enqueue("one", "two")
            let attempts = try await harness.claim()
            try await harness.succeed(attempts[0])
            #expect(try await harness.store.cancel(ids[0]) == .refused(.succeeded))
            #expect(try await harness.store.cancel(ids[1]) == .changed)
            #expect(try await harness.store.cancel(ids[1]) == .refused(.cancelled))
            #expect(try await harness.store.cancel(JobID(9)) == .unknown)
            #expect(try await harness.store.retry(JobID(9), change: .init()) == .unknown)
            #expect(
                try await harness.store.retry(ids[0], change: .init())
                    == .refused(.succeeded))
        }
    }

    @Test(arguments: Backend.allCases)
    func `cancelling by filter works in bounded turns and touches nothing else`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            try await harness.enqueue(try Sample.jobs(25, queue: "doomed", prefix: "d"))
            let spared = try await harness.enqueue("spared")
            let filter = JobFilter(queue: "doomed")
            var turns: [MassChange] = []
            repeat {
                turns.append(
                    try await harness.store.cancel(
                        filter, after: turns.last?.last, limit: 10))
            } while turns.last?.count == 10
            #expect(turns.map(\.count) == [10, 10, 5])
            #expect(try await harness.store.queue("doomed")?.counts.cancelled == 25)
            #expect(try await harness.states(spared) == [.queued])
        }
    }

    @Test(arguments: Backend.allCases)
    func `a retried job starts with a fresh count and keeps its history`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let ids = try await harness.enqueue([
                try Sample.job("one") { $0.deadline = harness.now.timestamp + 100 }
            ])
            try await fail(harness, try await harness.claimOne())
            #expect(try await harness.job(ids[0]).attemptsCounted == 1)
            harness.clock.advance(1_000)
            #expect(try await harness.store.retry(ids[0], change: .init()) == .changed)
            let job = try await harness.job(ids[0])
            #expect(job.state == .queued)
            #expect(job.attemptsCounted == 0)
            #expect(job.error == nil && job.finishedAt == nil && job.deadline == nil)
            let attempt = try await harness.claimOne()
            #expect(attempt.key.number == 2)
            #expect(attempt.failures == 0)
            try await harness.succeed(attempt)
            #expect(try await harness.store.attempts(of: ids[0])?.map(\.verdict) == ["failed", "succeeded"])
        }
    }

    @Test(arguments: Backend.allCases)
    func `a cancelled job that is retried waits for its own call still in flight, and shares its answer`(
        _ backend: Backend
    ) async throws {
        try await StoreHarness.run(backend) { harness in
            let ids = try await harness.enqueue("one")
            let attempt = try await harness.claimOne()
            _ = try await harness.store.cancel(ids[0])
            _ = try await harness.store.retry(ids[0], change: .init())
            #expect(try await harness.claim().isEmpty)
            #expect(try await harness.succeed(attempt) == .late)
            #expect(try await harness.fullClaim().settledFromCache == 1)
            #expect(try await harness.states(ids) == [.succeeded])
        }
    }

    @Test(arguments: Backend.allCases)
    func `without sharing, a retried job is fenced from the call it had before`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            let ids = try await harness.enqueue([try Sample.job("one") { $0.cache = .off }])
            let old = try await harness.claimOne()
            _ = try await harness.store.cancel(ids[0])
            _ = try await harness.store.retry(ids[0], change: .init())
            let new = try await harness.claimOne()
            #expect(try await harness.store.revoked(harness.worker) == [old.key])
            #expect(try await harness.succeed(old, "old") == .late)
            #expect(try await harness.succeed(new, "new") == .settled(.succeeded))
            #expect(try await harness.job(ids[0]).response == Sample.answer("new").body)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a retry with another model moves to that model's lane, with that prompt hash`(
        _ backend: Backend
    ) async throws {
        try await StoreHarness.run(backend) { harness in
            let ids = try await harness.enqueue("one")
            try await fail(harness, try await harness.claimOne())
            let change = RetryChange(route: Sample.otherModel, maxTokens: 99)
            #expect(try await harness.store.retry(ids[0], change: change) == .changed)
            let attempt = try await harness.claimOne()
            #expect(attempt.route == Sample.otherModel)
            #expect(attempt.maxTokens == 99)
            let request = try JSON.parse(attempt.request)
            #expect(request["model"]?.string == Sample.otherModel.model)
            #expect(request["max_tokens"]?.int == 99)
            #expect(request["messages"] != nil)
            try await harness.succeed(attempt)

            // The same prompt asked for there is the same prompt.
            let same = try Sample.job("again", route: Sample.otherModel) { job in
                job.request = attempt.request
                job.promptHash = PromptHash(request: request)
            }
            try await harness.enqueue([same])
            #expect(try await harness.fullClaim().settledFromCache == 1)
            // And what was asked here before was never answered.
            try await harness.enqueue("one")
            #expect(try await harness.claim().count == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `retrying by filter mends all of them, in bounded turns`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            let ids = try await harness.enqueue(try Sample.jobs(12))
            for attempt in try await harness.claim(12) { try await fail(harness, attempt) }
            let filter = JobFilter(queue: "default", errorType: "invalid_request_error")
            #expect(try await harness.store.count(filter) == 12)
            let change = RetryChange(route: Sample.otherModel)
            let first = try await harness.store.retry(filter, change: change, after: nil, limit: 8)
            #expect(first == MassChange(count: 8, last: ids[7]))
            let second = try await harness.store.retry(filter, change: change, after: first.last, limit: 8)
            #expect(second == MassChange(count: 4, last: ids[11]))
            let third = try await harness.store.retry(filter, change: change, after: second.last, limit: 8)
            #expect(third == MassChange(count: 0, last: nil))
            #expect(try await harness.states(ids).allSatisfy { $0 == .queued })
            try await harness.warmUp(Sample.otherModel)
            #expect(try await harness.claim(20).allSatisfy { $0.route == Sample.otherModel })
        }
    }

    @Test(arguments: Backend.allCases)
    func `cancelling one that waits for a call leaves the others waiting`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            let ids = try await harness.enqueue("one", "one", "one")
            let attempt = try await harness.claimOne()
            _ = try await harness.claim()
            _ = try await harness.store.cancel(ids[1])
            #expect(try await harness.claim().isEmpty)
            try await harness.succeed(attempt)
            _ = try await harness.claim()
            #expect(try await harness.states(ids) == [.succeeded, .cancelled, .succeeded])
        }
    }

    @Test(arguments: Backend.allCases)
    func `a retried job may run from now on`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let ids = try await harness.enqueue("one")
            try await fail(harness, try await harness.claimOne())
            harness.clock.advance(7 * 86_400_000)
            _ = try await harness.store.retry(ids[0], change: .init())
            #expect(try await harness.job(ids[0]).runAt == harness.now.timestamp)
        }
    }

    /// What the first answer leads to, changed while it waits.
    private func changed(_ rules: String, _ change: RetryChange, _ harness: StoreHarness) async throws
        -> ClaimedAttempt
    {
        let ids = try await harness.enqueue([
            try Sample.job("one") { job in
                job.check = NewCheck(rules: Array(rules.utf8), routes: [Sample.otherModel])
            }
        ])
        let first = try await harness.claimOne()
        let answer = Sample.answer("unsure")
        let decision = Decision(verdict: .succeeded, routeEvent: .succeeded).checked(answer, of: first)
        let outcome = try await harness.store.settle(
            Settlement(
                key: first.key, verdict: decision.verdict, routeEvent: decision.routeEvent, answer: answer))
        #expect(outcome == .settled(.queued))
        #expect(try await harness.store.retry(ids[0], change: change) == .changed)
        return try #require(
            try await harness.claim(5, services: [Sample.service, Sample.otherService]).first)
    }

    @Test(arguments: Backend.allCases)
    func `a change of a queued repair changes what is sent, and what it is known by`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            let attempt = try await changed(
                #"{"labels":["positive"],"on_fail":["repair"]}"#,
                RetryChange(route: Sample.otherModel, maxTokens: 77), harness)
            let request = try JSON.parse(attempt.request)
            #expect(attempt.route == Sample.otherModel && attempt.maxTokens == 77)
            #expect(request["model"]?.string == Sample.otherModel.model)
            #expect(request["max_tokens"]?.int == 77 && request["messages"]?.count == 3)
            try await harness.succeed(attempt)
            // The answer to the repair is no answer to the prompt alone.
            try await harness.warmUp(Sample.otherModel)
            try await harness.enqueue([
                try Sample.job("one", route: Sample.otherModel) { job in
                    job.request = Array(
                        String(decoding: job.request, as: UTF8.self).replacing(":64,", with: ":77,").utf8)
                    job.promptHash = PromptHash(request: try JSON.parse(job.request))
                }
            ])
            #expect(try await harness.claim().count == 1)
            #expect(
                try harness.rows(
                    """
                    SELECT count(*) FROM answer
                    WHERE job_id = \(attempt.key.job.value) AND prompt_hash = (
                        SELECT prompt_hash FROM job WHERE id = \(attempt.key.job.value)
                    )
                    """) == [1])
        }
    }

    @Test(arguments: Backend.allCases)
    func `a changed escalation goes where the change says, and a retry begins there again`(
        _ backend: Backend
    ) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            let attempt = try await changed(
                #"{"labels":["positive"],"on_fail":[{"escalate":"claude-sonnet-5"}]}"#,
                RetryChange(route: Sample.otherRoute), harness)
            #expect(attempt.route == Sample.otherRoute)
            #expect(try JSON.parse(attempt.request)["model"]?.string == Sample.otherRoute.model)
            try await fail(harness, attempt)
            _ = try await harness.store.retry(attempt.key.job, change: .init())
            let again = try await harness.claim(5, services: [Sample.otherService])
            #expect(again.map(\.route) == [Sample.otherRoute])
            #expect(try JSON.parse(again[0].request)["messages"]?.count == 1)
        }
    }
}
