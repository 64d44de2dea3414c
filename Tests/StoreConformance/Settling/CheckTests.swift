import JSON
import Jobs
import TestSupport
import Testing

@Suite struct CheckTests {
    private static let cascade = #"{"labels":["positive"],"on_fail":[{"escalate":"claude-sonnet-5"}]}"#

    private func job(_ text: String, _ rules: String, routes: [RouteKey] = []) throws -> NewJob {
        try Sample.job(text) { $0.check = NewCheck(rules: Array(rules.utf8), routes: routes) }
    }

    /// Settles as a worker would that got this text for an answer.
    @discardableResult
    private func answer(_ text: String, _ attempt: ClaimedAttempt, _ harness: StoreHarness) async throws
        -> SettleOutcome
    {
        var answer = Sample.answer(text)
        answer.model = attempt.route.model
        let decision = Decision(verdict: .succeeded, routeEvent: .succeeded).checked(answer, of: attempt)
        return try await harness.store.settle(
            Settlement(
                key: attempt.key, verdict: decision.verdict, routeEvent: decision.routeEvent, answer: answer))
    }

    @Test(arguments: StoreUnderTest.all)
    func `an answer that fails goes to the stronger model, and both calls are paid`(_ tested: StoreUnderTest)
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            let batch = try await harness.store.createBatch(name: "b", metadata: nil)
            var new = try job("one", Self.cascade, routes: [Sample.otherModel])
            new.batch = batch.id
            let id = try await harness.enqueue([new])[0]
            #expect(try await answer("unsure", try await harness.claimOne(), harness) == .settled(.queued))
            let next = try await harness.claimOne()
            #expect(next.route == Sample.otherModel)
            #expect(try JSON.parse(next.request)["model"]?.string == Sample.otherModel.model)
            #expect(try await answer("positive", next, harness) == .settled(.succeeded))

            let done = try await harness.job(id)
            #expect(done.model == Sample.otherModel.model)
            #expect(done.attemptsCounted == 1)
            #expect(done.check?.passed == true)
            #expect(done.check?.step == "escalate")
            #expect(done.check?.reason?.contains("“unsure”") == true)
            let history = try #require(try await harness.store.attempts(of: id))
            #expect(history.map(\.verdict) == ["escalate", "succeeded"])
            #expect(history.allSatisfy { $0.cost > .zero })
            #expect(history[0].error?.type == "check_failed")
            let counts = try #require(try await harness.store.batch(batch.id)).counts
            #expect(counts.succeeded == 1 && counts.total == 1)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a repair carries the complaint, and the last failure fails the job with its answer`(
        _ tested: StoreUnderTest
    ) async throws {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            let id = try await harness.enqueue([
                try job("one", #"{"labels":["positive"],"on_fail":["repair"]}"#)
            ])[0]
            try await answer("dunno", try await harness.claimOne(), harness)
            let second = try await harness.claimOne()
            #expect(try JSON.parse(second.request)["messages"]?.count == 3)
            #expect(try await answer("still not", second, harness) == .settled(.failed))
            let failed = try await harness.job(id)
            #expect(failed.error?.type == "check_failed")
            #expect(failed.response == Sample.answer("still not").body)
            #expect(failed.check?.passed == false)

            #expect(try await harness.store.retry(id, change: RetryChange()) == .changed)
            let again = try await harness.claimOne()
            #expect(try JSON.parse(again.request)["messages"]?.count == 1)
            #expect(again.check?.used == 0)
            try await answer("positive", again, harness)
            #expect(try await harness.job(id).check?.step == "first")
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a paid answer is kept until another takes its place`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            let ids = try await harness.enqueue([
                try job("one", Self.cascade, routes: [Sample.otherModel]),
                try job("two", Self.cascade, routes: [Sample.otherModel]),
            ])
            for attempt in try await harness.claim(2) { try await answer("unsure", attempt, harness) }
            let next = try await harness.claim(2).sorted { $0.key.job.value < $1.key.job.value }
            let refusal = JobError(
                type: "invalid_request_error", message: "no", status: 400, retryable: false)
            _ = try await harness.store.settle(
                Settlement(key: next[0].key, verdict: .failed(refusal), routeEvent: .neutral))
            try await answer("positive", next[1], harness)
            let failed = try await harness.job(ids[0])
            #expect(failed.state == .failed && failed.error?.type == "invalid_request_error")
            #expect(failed.response.map { String(decoding: $0, as: UTF8.self).contains("unsure") } == true)
            let done = try await harness.job(ids[1])
            #expect(done.response.map { String(decoding: $0, as: UTF8.self).contains("positive") } == true)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a job in review ends at its deadline`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            var new = try job("one", #"{"labels":["positive"],"on_fail":"review"}"#)
            new.deadline = harness.now.timestamp + 60_000
            let id = try await harness.enqueue([new])[0]
            try await answer("unsure", try await harness.claimOne(), harness)
            #expect(try await harness.job(id).state == .review)
            harness.clock.advance(60_000)
            #expect(try await harness.store.reap().expiredDeadlines == 1)
            #expect(try await harness.job(id).error?.type == "deadline_exceeded")
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a retry after an escalation begins with the first model`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            let id = try await harness.enqueue([try job("one", Self.cascade, routes: [Sample.otherModel])])[0]
            try await answer("a", try await harness.claimOne(), harness)
            try await answer("b", try await harness.claimOne(), harness)
            #expect(try await harness.job(id).state == .failed)
            _ = try await harness.store.retry(id, change: RetryChange())
            let again = try await harness.claimOne()
            #expect(again.route == Sample.route)
            try await answer("positive", again, harness)
            #expect(try await harness.job(id).model == Sample.model)
        }
    }

    @Test(arguments: StoreUnderTest.all, [true, false])
    func `a retry after an escalation is paid by the budgets that its tags have now`(
        _ tested: StoreUnderTest, _ isNew: Bool
    ) async throws {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            let budget = Budget(
                name: "gold", scope: .tag("gold"), window: .total, limit: Money(nanodollars: 9_000_000))
            if !isNew { try await harness.store.configure(budgets: [budget]) }
            var new = try job("one", Self.cascade, routes: [Sample.otherModel])
            new.tags = ["gold"]
            let id = try await harness.enqueue([new])[0]
            try await answer("a", try await harness.claimOne(), harness)
            try await answer("b", try await harness.claimOne(), harness)
            if isNew {
                try await harness.store.configure(budgets: [budget])
            } else {
                _ = try await harness.store.remove(budget: "gold")
            }
            _ = try await harness.store.retry(id, change: RetryChange())
            try await answer("positive", try await harness.claimOne(), harness)
            let gold = try await harness.store.budgets().first?.ledger.settled
            // What the two calls before it cost counts too: one of them was the dearer model's.
            #expect(gold == (isNew ? Money(nanodollars: 123_000) + Sample.cost : nil))
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `an answer that failed is nobody else's`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            let first = try job("one", #"{"labels":["positive"]}"#)
            let second = try Sample.job("one") { $0.fingerprint = [2] }
            try await harness.enqueue([first, second])
            let leader = try await harness.claimOne()
            #expect(try await harness.claim().isEmpty)
            try await answer("nonsense", leader, harness)
            // The follower inherits the call.
            let heir = try await harness.claimOne()
            #expect(heir.key.job != leader.key.job)
            try await harness.succeed(heir)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a cached answer is held to the check of whoever would take it`(_ tested: StoreUnderTest)
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            try await harness.enqueue("one", "two")
            for attempt in try await harness.claim() { try await harness.succeed(attempt, "nonsense") }
            let picky = try await harness.enqueue([try job("one", #"{"labels":["positive"]}"#)])[0]
            let easy = try await harness.enqueue([try job("two", #"{"pattern":"^non"}"#)])[0]
            let claim = try await harness.fullClaim()
            #expect(claim.settledFromCache == 1)
            #expect(claim.attempts.map(\.key.job) == [picky])
            #expect(try await harness.job(easy).check?.passed == true)
            try await answer("positive", claim.attempts[0], harness)
            #expect(try await harness.job(picky).cached == false)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `an answer that came too late and failed is kept from the cache`(_ tested: StoreUnderTest)
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            try await harness.enqueue([try job("one", #"{"labels":["positive"]}"#)])
            let stale = try await harness.claimOne()
            harness.clock.advance(30_000)
            _ = try await harness.store.reap()
            #expect(try await answer("nonsense", stale, harness) == .late)
            let fresh = try await harness.claimOne()
            try await answer("positive", fresh, harness)
        }
    }

    @Test(arguments: StoreUnderTest.all, ["approve", "edit", "rewrite", "reject"])
    func `a person decides of an answer in review`(_ tested: StoreUnderTest, _ action: String) async throws {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            let batch = try await harness.store.createBatch(name: "b", metadata: nil)
            var new = try job("one", #"{"labels":["positive"],"on_fail":"review"}"#)
            new.batch = batch.id
            let id = try await harness.enqueue([new])[0]
            #expect(try await answer("hm", try await harness.claimOne(), harness) == .settled(.review))
            let waiting = try await harness.store.jobs(
                JobFilter(state: .review), before: nil, limit: 5, bodies: [.response])
            #expect(waiting.map(\.id) == [id])
            #expect(waiting[0].error?.message.contains("“hm”") == true)
            #expect(waiting[0].response == Sample.answer("hm").body)
            #expect(try await harness.store.batch(batch.id)?.counts.review == 1)

            let edited = Array(#"{"content":[{"type":"text","text":"mine"}]}"#.utf8)
            let actions: [String: ReviewAction] = [
                "approve": .approve, "edit": .edit(message: edited), "rewrite": .rewrite(text: "mine"),
                "reject": .reject,
            ]
            let decision = try #require(actions[action])
            #expect(try await harness.store.review(id, decision, note: "why") == .changed)
            let done = try await harness.job(id)
            #expect(done.state == (action == "reject" ? .failed : .succeeded))
            #expect(done.check?.review?.note == "why")
            #expect(done.check?.step == (["edit", "rewrite"].contains(action) ? "review" : "first"))
            #expect((done.error == nil) == (action != "reject"))
            let text = String(decoding: done.response ?? [], as: UTF8.self)
            #expect(text.contains(["edit", "rewrite"].contains(action) ? "mine" : "hm"))
            let counts = try #require(try await harness.store.batch(batch.id)).counts
            #expect(counts.review == 0 && counts.finished == 1)
            #expect(
                try await harness.store.review(id, .approve, note: nil)
                    == .refused(done.state))
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a job in review can be cancelled, and what is no such job is told apart`(_ tested: StoreUnderTest)
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            let id = try await harness.enqueue([try job("one", #"{"labels":["a"],"on_fail":["review"]}"#)])[0]
            #expect(try await harness.store.review(id, .approve, note: nil) == .refused(.queued))
            try await answer("hm", try await harness.claimOne(), harness)
            #expect(try await harness.store.cancel(id) == .changed)
            #expect(try await harness.store.retry(id, change: RetryChange()) == .changed)
            try await answer("a", try await harness.claimOne(), harness)
            #expect(try await harness.job(id).state == .succeeded)
            #expect(try await harness.store.review(JobID(7), .reject, note: nil) == .unknown)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a queue's check counts for jobs that come after it and say nothing themselves`(
        _ tested: StoreUnderTest
    )
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            let check = NewCheck(rules: Array(Self.cascade.utf8), routes: [Sample.otherModel])
            let before = try await harness.enqueue("before")[0]
            let queue = try await harness.store.update(queue: "default", QueuePatch(check: .some(check)))
            #expect(queue.check == check.rules)
            let after = try await harness.enqueue("after")[0]
            let own = try await harness.enqueue([try job("own", #"{"pattern":"."}"#)])[0]
            let free = try await harness.enqueue([try Sample.job("free") { $0.refusesQueueCheck = true }])[0]
            var rules: [JobID: [UInt8]] = [:]
            for id in [before, after, own, free] { rules[id] = try await harness.job(id).check?.rules }
            #expect(rules == [after: check.rules, own: Array(#"{"pattern":"."}"#.utf8)])
            for attempt in try await harness.claim() where attempt.key.job == after {
                try await answer("hm", attempt, harness)
            }
            #expect(try await harness.claimOne().route == Sample.otherModel)
            let freed = try await harness.store.update(queue: "default", QueuePatch(check: .some(nil)))
            #expect(freed.check == nil)
        }
    }
}
