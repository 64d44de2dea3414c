import JSON
import Jobs
import Testing

@Suite struct CheckTests {
    private static let cascade = #"{"labels":["positive"],"on_fail":[{"escalate":"claude-sonnet-5"}]}"#

    private func job(_ text: String, _ rules: String, routes: [RouteKey] = []) throws -> NewJob {
        try Sample.job(text) { $0.check = NewCheck(rules: Array(rules.utf8), routes: routes) }
    }

    /// Settles as a worker would that got this text for an answer.
    @discardableResult
    private func answer(_ text: String, _ attempt: ClaimedAttempt, _ bench: Bench) async throws
        -> SettleOutcome
    {
        var answer = Sample.answer(text)
        answer.model = attempt.route.model
        let decision = Decision(verdict: .succeeded, routeEvent: .succeeded).checked(answer, of: attempt)
        return try await bench.store.settle(
            Settlement(
                key: attempt.key, verdict: decision.verdict, routeEvent: decision.routeEvent, answer: answer),
            now: bench.now)
    }

    @Test(arguments: Backend.allCases)
    func `an answer that fails goes to the stronger model, and both calls are paid`(_ backend: Backend)
        async throws
    {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            let batch = try await bench.store.createBatch(name: "b", metadata: nil, now: bench.now)
            var new = try job("one", Self.cascade, routes: [Sample.otherModel])
            new.batch = batch.id
            let id = try await bench.enqueue([new])[0]
            #expect(try await answer("unsure", try await bench.claimOne(), bench) == .settled(.queued))
            let next = try await bench.claimOne()
            #expect(next.route == Sample.otherModel)
            #expect(try JSON.parse(next.request)["model"]?.string == Sample.otherModel.model)
            #expect(try await answer("positive", next, bench) == .settled(.succeeded))

            let done = try await bench.job(id)
            #expect(done.model == Sample.otherModel.model)
            #expect(done.attemptsCounted == 1)
            #expect(done.check?.passed == true)
            #expect(done.check?.step == "escalate")
            #expect(done.check?.complaint?.contains("“unsure”") == true)
            let history = try #require(try await bench.store.attempts(of: id))
            #expect(history.map(\.verdict) == ["escalate", "succeeded"])
            #expect(history.allSatisfy { $0.cost > .zero })
            #expect(history[0].error?.type == "check_failed")
            let counts = try #require(try await bench.store.batch(batch.id)).counts
            #expect(counts.succeeded == 1 && counts.total == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a repair carries the complaint, and the last failure fails the job with its answer`(
        _ backend: Backend
    ) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            let id = try await bench.enqueue([
                try job("one", #"{"labels":["positive"],"on_fail":["repair"]}"#)
            ])[0]
            try await answer("dunno", try await bench.claimOne(), bench)
            let second = try await bench.claimOne()
            #expect(try JSON.parse(second.request)["messages"]?.count == 3)
            #expect(try await answer("still not", second, bench) == .settled(.failed))
            let failed = try await bench.job(id)
            #expect(failed.error?.type == "check_failed")
            #expect(failed.response == Sample.answer("still not").body)
            #expect(failed.check?.passed == false)

            #expect(try await bench.store.retry(id, change: RetryChange(), now: bench.now) == .changed)
            let again = try await bench.claimOne()
            #expect(try JSON.parse(again.request)["messages"]?.count == 1)
            #expect(again.check?.used == 0)
            try await answer("positive", again, bench)
            #expect(try await bench.job(id).check?.step == "first")
        }
    }

    @Test(arguments: Backend.allCases)
    func `a retry after an escalation begins with the first model`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            let id = try await bench.enqueue([try job("one", Self.cascade, routes: [Sample.otherModel])])[0]
            try await answer("a", try await bench.claimOne(), bench)
            try await answer("b", try await bench.claimOne(), bench)
            #expect(try await bench.job(id).state == .failed)
            _ = try await bench.store.retry(id, change: RetryChange(), now: bench.now)
            let again = try await bench.claimOne()
            #expect(again.route == Sample.route)
            try await answer("positive", again, bench)
            #expect(try await bench.job(id).model == Sample.model)
        }
    }

    @Test(arguments: Backend.allCases, [true, false])
    func `a retry after an escalation is paid by the budgets that its tags have now`(
        _ backend: Backend, _ isNew: Bool
    ) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            let budget = Budget(
                name: "gold", scope: .tag("gold"), window: .total, limit: Money(nanodollars: 9_000_000))
            if !isNew { try await bench.store.configure(budgets: [budget], now: bench.now) }
            var new = try job("one", Self.cascade, routes: [Sample.otherModel])
            new.tags = ["gold"]
            let id = try await bench.enqueue([new])[0]
            try await answer("a", try await bench.claimOne(), bench)
            try await answer("b", try await bench.claimOne(), bench)
            if isNew {
                try await bench.store.configure(budgets: [budget], now: bench.now)
            } else {
                _ = try await bench.store.remove(budget: "gold", now: bench.now)
            }
            _ = try await bench.store.retry(id, change: RetryChange(), now: bench.now)
            try await answer("positive", try await bench.claimOne(), bench)
            let gold = try await bench.store.budgets(now: bench.now).first?.ledger.settled
            // What the two calls before it cost counts too: one of them was the dearer model's.
            #expect(gold == (isNew ? Money(nanodollars: 123_000) + Sample.cost : nil))
        }
    }

    @Test(arguments: Backend.allCases)
    func `an answer that failed is nobody else's`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            let first = try job("one", #"{"labels":["positive"]}"#)
            let second = try Sample.job("one") { $0.fingerprint = [2] }
            try await bench.enqueue([first, second])
            let leader = try await bench.claimOne()
            #expect(try await bench.claim().isEmpty)
            try await answer("nonsense", leader, bench)
            // The follower inherits the call.
            let heir = try await bench.claimOne()
            #expect(heir.key.job != leader.key.job)
            try await bench.succeed(heir)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a cached answer is held to the check of whoever would take it`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            try await bench.enqueue("one", "two")
            for attempt in try await bench.claim() { try await bench.succeed(attempt, "nonsense") }
            let picky = try await bench.enqueue([try job("one", #"{"labels":["positive"]}"#)])[0]
            let easy = try await bench.enqueue([try job("two", #"{"pattern":"^non"}"#)])[0]
            let claim = try await bench.fullClaim()
            #expect(claim.settledFromCache == 1)
            #expect(claim.attempts.map(\.key.job) == [picky])
            #expect(try await bench.job(easy).check?.passed == true)
            try await answer("positive", claim.attempts[0], bench)
            #expect(try await bench.job(picky).cached == false)
        }
    }

    @Test(arguments: Backend.allCases)
    func `an answer that came too late and failed is kept from the cache`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            try await bench.enqueue([try job("one", #"{"labels":["positive"]}"#)])
            let stale = try await bench.claimOne()
            bench.clock.advance(30_000)
            _ = try await bench.store.reap(now: bench.now)
            #expect(try await answer("nonsense", stale, bench) == .late)
            let fresh = try await bench.claimOne()
            try await answer("positive", fresh, bench)
        }
    }

    @Test(arguments: Backend.allCases, ["approve", "edit", "rewrite", "reject"])
    func `a person decides of an answer in review`(_ backend: Backend, _ action: String) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            let batch = try await bench.store.createBatch(name: "b", metadata: nil, now: bench.now)
            var new = try job("one", #"{"labels":["positive"],"on_fail":"review"}"#)
            new.batch = batch.id
            let id = try await bench.enqueue([new])[0]
            #expect(try await answer("hm", try await bench.claimOne(), bench) == .settled(.review))
            let waiting = try await bench.store.jobs(
                JobFilter(state: .review), before: nil, limit: 5, bodies: [.response], now: bench.now)
            #expect(waiting.map(\.id) == [id])
            #expect(waiting[0].error?.message.contains("“hm”") == true)
            #expect(waiting[0].response == Sample.answer("hm").body)
            #expect(try await bench.store.batch(batch.id)?.counts.review == 1)

            let edited = Array(#"{"content":[{"type":"text","text":"mine"}]}"#.utf8)
            let actions: [String: ReviewAction] = [
                "approve": .approve, "edit": .edit(message: edited), "rewrite": .rewrite(text: "mine"),
                "reject": .reject,
            ]
            let decision = try #require(actions[action])
            #expect(try await bench.store.review(id, decision, note: "why", now: bench.now) == .changed)
            let done = try await bench.job(id)
            #expect(done.state == (action == "reject" ? .failed : .succeeded))
            #expect(done.check?.review?.note == "why")
            #expect(done.check?.step == (["edit", "rewrite"].contains(action) ? "review" : "first"))
            #expect((done.error == nil) == (action != "reject"))
            let text = String(decoding: done.response ?? [], as: UTF8.self)
            #expect(text.contains(["edit", "rewrite"].contains(action) ? "mine" : "hm"))
            let counts = try #require(try await bench.store.batch(batch.id)).counts
            #expect(counts.review == 0 && counts.finished == 1)
            #expect(
                try await bench.store.review(id, .approve, note: nil, now: bench.now) == .refused(done.state))
        }
    }

    @Test(arguments: Backend.allCases)
    func `a job in review can be cancelled, and what is no such job is told apart`(_ backend: Backend)
        async throws
    {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            let id = try await bench.enqueue([try job("one", #"{"labels":["a"],"on_fail":["review"]}"#)])[0]
            #expect(
                try await bench.store.review(id, .approve, note: nil, now: bench.now) == .refused(.queued))
            try await answer("hm", try await bench.claimOne(), bench)
            #expect(try await bench.store.cancel(id, now: bench.now) == .changed)
            #expect(try await bench.store.retry(id, change: RetryChange(), now: bench.now) == .changed)
            try await answer("a", try await bench.claimOne(), bench)
            #expect(try await bench.job(id).state == .succeeded)
            #expect(try await bench.store.review(JobID(7), .reject, note: nil, now: bench.now) == .unknown)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a queue's check counts for jobs that come after it and say nothing themselves`(_ backend: Backend)
        async throws
    {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            let check = NewCheck(rules: Array(Self.cascade.utf8), routes: [Sample.otherModel])
            let before = try await bench.enqueue("before")[0]
            let queue = try await bench.store.update(
                queue: "default", QueuePatch(check: .some(check)), now: bench.now)
            #expect(queue.check == check.rules)
            let after = try await bench.enqueue("after")[0]
            let own = try await bench.enqueue([try job("own", #"{"pattern":"."}"#)])[0]
            let free = try await bench.enqueue([try Sample.job("free") { $0.refusesQueueCheck = true }])[0]
            var rules: [JobID: [UInt8]] = [:]
            for id in [before, after, own, free] { rules[id] = try await bench.job(id).check?.rules }
            #expect(rules == [after: check.rules, own: Array(#"{"pattern":"."}"#.utf8)])
            for attempt in try await bench.claim() where attempt.key.job == after {
                try await answer("hm", attempt, bench)
            }
            #expect(try await bench.claimOne().route == Sample.otherModel)
            let freed = try await bench.store.update(
                queue: "default", QueuePatch(check: .some(nil)), now: bench.now)
            #expect(freed.check == nil)
        }
    }
}
