import Jobs
import TestSupport
import Testing

/// What one call of `Sample.job` can cost at worst: its text and frame at $1, 64 tokens out at $5 per million.
private func worstCase(_ text: String) -> Money {
    Money(nanodollars: Int64(text.utf8.count + 24) * 1_000 + 64 * 5_000)
}

extension Money {
    fileprivate static func * (a: Int64, b: Money) -> Money { Money(nanodollars: a * b.nanodollars) }
}

@Suite struct BudgetTests {
    private func daily(_ limit: Money, scope: Budget.Scope = .all, name: String = "daily") -> Budget {
        Budget(name: name, scope: scope, window: .day, limit: limit)
    }

    private func state(_ harness: StoreHarness, _ budgets: Budget...) async throws {
        try await harness.store.configure(budgets: budgets)
    }

    /// What that costs is yesterday's.
    private func warmUp(_ harness: StoreHarness) async throws {
        try await harness.warmUp()
        harness.clock.advance(86_400_000)
    }

    private func ledger(_ harness: StoreHarness, _ name: String = "daily") async throws -> BudgetLedger {
        try #require(try await harness.store.budgets().first { $0.ledger.budget.name == name }).ledger
    }

    @Test(arguments: StoreUnderTest.all)
    func `a budget is spent to the last call that it can afford, and never a cent more`(
        _ tested: StoreUnderTest
    )
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await warmUp(harness)
            let limit = Money(nanodollars: 1_000_000)
            try await state(harness, daily(limit))
            let ids = try await harness.enqueue(try (10...49).map { try Sample.job("number \($0)") })
            var calls = 0
            while true {
                let attempts = try await harness.claim(7)
                if attempts.isEmpty { break }
                let ledger = try await ledger(harness)
                #expect(ledger.settled + ledger.reserved <= limit)
                for attempt in attempts { try await harness.succeed(attempt) }
                calls += attempts.count
            }
            let end = try await ledger(harness)
            #expect(end.settled == Int64(calls) * Sample.cost)
            #expect(end.reserved == .zero && end.unconfirmedCost == .zero)
            #expect(end.free < worstCase("number 10"))
            let last = try #require(ids.last)
            let waiting = try #require(try await harness.job(last).waitingFor)
            #expect(waiting.reason == .budget)
            #expect(waiting.detail.contains("budget daily") && waiting.detail.contains("smaller max_tokens"))
            #expect(waiting.until == Budget.Window.day.end(at: harness.now.timestamp))
            harness.clock.advance(86_400_000)
            #expect(try await harness.claim(1).count == 1)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `an empty budget is the bottleneck of its route, not the workers' slots`(_ tested: StoreUnderTest)
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await warmUp(harness)
            try await state(harness, daily(worstCase("number 10")))
            try await harness.enqueue(try (10...12).map { try Sample.job("number \($0)") })
            for attempt in try await harness.claim(7) { try await harness.succeed(attempt) }
            let route = try #require(try await harness.store.stats().routes.first)
            let bottleneck = try #require(route.bottleneck)
            #expect(bottleneck.detail.hasPrefix("budget daily: "))
            #expect(!bottleneck.moreWorkersHelp)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a claim says when the budget's window ends`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            try await warmUp(harness)
            try await state(harness, daily(worstCase("a")))
            try await harness.enqueue("a", "b")
            let claim = try await harness.fullClaim(5)
            #expect(claim.attempts.count == 1)
            let end = try #require(Budget.Window.day.end(at: harness.now.timestamp))
            #expect(claim.wakeAfter == end - harness.now.timestamp)
            #expect(try await harness.fullClaim(5).wakeAfter == end - harness.now.timestamp)
            try await harness.succeed(claim.attempts[0])
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a job dearer than its budget's whole window fails, and keeps no other back`(
        _ tested: StoreUnderTest
    )
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await warmUp(harness)
            try await state(harness, daily(worstCase("a")))
            let dear = try await harness.enqueue([
                try Sample.job("dear") { job in job.maxTokens = 1_000 },
                // Nothing limits its searches.
                try Sample.job("endless") { job in job.bound.webSearches = nil },
            ])
            try await harness.enqueue("a")
            let attempt = try await harness.claimOne()
            let failed = try await harness.job(dear[0])
            #expect(failed.state == .failed)
            #expect(failed.error?.type == "never_affordable")
            #expect(try await harness.job(dear[1]).error?.message.contains("max_uses") == true)
            try await harness.succeed(attempt)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a job behind one that cannot be paid yet says which`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            try await warmUp(harness)
            try await state(harness, daily(3 * worstCase("a")))
            try await harness.enqueue("a")
            try await harness.succeed(try await harness.claimOne())
            let ids = try await harness.enqueue([
                try Sample.job("a large one") { job in job.maxTokens = 195 }, try Sample.job("b"),
            ])
            #expect(try await harness.claim(2).isEmpty)
            let waiting = try #require(try await harness.job(ids[1]).waitingFor)
            #expect(waiting.reason == .budget)
            #expect(waiting.detail.hasPrefix("\(ids[0]) goes first, and waits:"), "\(waiting.detail)")
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a crashed attempt's worst case is unconfirmed until its answer comes`(_ tested: StoreUnderTest)
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await warmUp(harness)
            try await state(harness, daily(worstCase("a")))
            try await harness.enqueue("a")
            let attempt = try await harness.claimOne()
            harness.clock.advance(31_000)
            _ = try await harness.store.reap()
            #expect(try await ledger(harness).unconfirmedCost == worstCase("a"))
            #expect(try await harness.claim(1).isEmpty)
            try await harness.succeed(attempt)
            let corrected = try await ledger(harness)
            #expect(corrected.unconfirmedCost == .zero && corrected.reserved == .zero)
            #expect(corrected.settled == Sample.cost)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a person clears what is unconfirmed, in every budget that held it`(_ tested: StoreUnderTest)
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await warmUp(harness)
            let monthly = Budget(name: "monthly", window: .month, limit: 10 * worstCase("a"))
            try await state(harness, daily(worstCase("a")), monthly)
            let ids = try await harness.enqueue("a")
            let attempt = try await harness.claimOne()
            harness.clock.advance(31_000)
            _ = try await harness.store.reap()
            #expect(try await ledger(harness, "monthly").unconfirmedCost == worstCase("a"))
            let status = try #require(try await harness.store.clearUnconfirmed(budget: "daily"))
            #expect(status.ledger.unconfirmedCost == .zero)
            #expect(try await ledger(harness, "monthly").unconfirmedCost == .zero)
            #expect(try await harness.store.clearUnconfirmed(budget: "weekly") == nil)
            #expect(try await harness.store.attempts(of: ids[0])?.first?.unconfirmedCost == .zero)
            // The answer comes after all: what it cost counts.
            try await harness.succeed(attempt)
            // A month has yesterday's warming up in it.
            #expect(try await ledger(harness, "monthly").settled == 2 * Sample.cost)
            let events = try await harness.store.events(before: nil, limit: 10)
            #expect(events.contains { $0.kind == .unconfirmedCostCleared && $0.subject == "daily" })
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a tag's and a queue's budget hold back their own jobs alone`(_ tested: StoreUnderTest) async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await warmUp(harness)
            try await state(
                harness, daily(worstCase("t1"), scope: .tag("gold"), name: "gold"),
                daily(worstCase("q1"), scope: .queue("mail"), name: "mail"))
            try await harness.enqueue(
                try ["t1", "t2"].map { try Sample.job($0) { $0.tags = ["gold", "other"] } }
                    + ["q1", "q2"].map { try Sample.job($0, queue: "mail") }
                    + ["p1", "p2"].map { try Sample.job($0) { $0.tags = ["other"] } })
            let attempts = try await harness.claim(10)
            #expect(attempts.count == 4)
            for attempt in attempts { try await harness.succeed(attempt) }
            #expect(try await harness.claim(10).isEmpty)
            #expect(try await ledger(harness, "gold").settled == Sample.cost)
            #expect(try await ledger(harness, "mail").settled == Sample.cost)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a tag gets its budget while its jobs wait, and loses it again`(_ tested: StoreUnderTest)
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await warmUp(harness)
            try await harness.enqueue(try (1...4).map { try Sample.job("g\($0)") { $0.tags = ["gold"] } })
            try await state(harness, daily(worstCase("g1"), scope: .tag("gold"), name: "gold"))
            let first = try await harness.claim(10)
            #expect(first.count == 1)
            #expect(try await harness.store.remove(budget: "gold"))
            #expect(try await !harness.store.remove(budget: "gold"))
            let rest = try await harness.claim(10)
            #expect(rest.count == 3)
            for attempt in first + rest { try await harness.succeed(attempt) }
            // Stated again, it counts what its window has spent, meanwhile too.
            try await state(harness, daily(worstCase("g1"), scope: .tag("gold"), name: "gold"))
            #expect(try await ledger(harness, "gold").settled == 4 * Sample.cost)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `money stays in the window in which it was reserved`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            try await warmUp(harness)
            try await state(harness, daily(10 * worstCase("a")))
            try await harness.enqueue("a")
            let attempt = try await harness.claimOne()
            harness.clock.advance(86_400_000)
            try await harness.succeed(attempt)
            #expect(try await ledger(harness) == BudgetLedger(budget: daily(10 * worstCase("a"))))
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `thresholds are announced once each, by whoever crosses them`(_ tested: StoreUnderTest) async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await warmUp(harness)
            try await state(harness, daily(Money(nanodollars: 650_000)))
            try await harness.enqueue(try (10...29).map { try Sample.job("number \($0)") })
            for _ in 0..<20 {
                for attempt in try await harness.claim(1) { try await harness.succeed(attempt) }
            }
            let events = try await harness.store.events(before: nil, limit: 10).filter {
                $0.kind == .budgetAlert
            }
            // What is left below one worst case stays unspent: 80 and 95 % are never reached, and the budget is spent.
            #expect(events.reversed().map(\.percent) == [50, 100])
            try await state(harness, daily(Money(nanodollars: 2_000_000)))
            for _ in 0..<20 {
                for attempt in try await harness.claim(1) { try await harness.succeed(attempt) }
            }
            #expect(try await ledger(harness).settled == 20 * Sample.cost)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `more money makes waiting jobs go on`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            try await warmUp(harness)
            try await state(harness, daily(worstCase("a")))
            try await harness.enqueue("a", "b")
            let first = try await harness.claim(5)
            #expect(first.count == 1)
            try await state(harness, daily(3 * worstCase("a")))
            let second = try await harness.claim(5)
            #expect(second.count == 1)
            for attempt in first + second { try await harness.succeed(attempt) }
            #expect(try await ledger(harness).settled == 2 * Sample.cost)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a model without a known price waits where a budget must be kept`(_ tested: StoreUnderTest)
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await state(harness, daily(Money(nanodollars: 1_000_000_000)))
            let route = RouteKey(service: Sample.service, model: "house-model")
            let ids = try await harness.enqueue([try Sample.job("a", route: route)])
            #expect(try await harness.claim(1).isEmpty)
            let waiting = try await harness.job(ids[0]).waitingFor
            #expect(waiting?.reason == .budget)
            #expect(waiting?.detail.contains("no price is known for house-model") == true)
            _ = try await harness.store.remove(budget: "daily")
            #expect(try await harness.claim(1).count == 1)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `searches on the web are reserved and paid, and without a limit no budget pays for them`(
        _ tested: StoreUnderTest
    ) async throws {
        try await StoreHarness.run(tested) { harness in
            try await warmUp(harness)
            let searches = Money(nanodollars: 20_000_000)
            try await state(harness, daily(worstCase("a") + searches))
            let ids = try await harness.enqueue([
                try Sample.job("a") { $0.bound.webSearches = 2 },
                try Sample.job("b") { $0.bound.webSearches = nil },
            ])
            let attempt = try await harness.claimOne()
            #expect(attempt.key.job == ids[0])
            #expect(try await ledger(harness).reserved == worstCase("a") + searches)
            let waiting = try #require(try await harness.job(ids[1]).waitingFor)
            #expect(waiting.reason == .budget && waiting.detail.contains("set max_uses of web_search"))
            var settlement = Sample.success(attempt.key)
            settlement.answer?.usage.webSearches = 2
            _ = try await harness.store.settle(settlement)
            #expect(try await ledger(harness).settled == Sample.cost + searches)
            #expect(try await ledger(harness).reserved == .zero)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a call has the prices of the moment in which its worst case was reserved`(_ tested: StoreUnderTest)
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await warmUp(harness)
            let route = RouteKey(service: Sample.service, model: "claude-sonnet-5-5")
            // Its cache reads became cheaper with this moment.
            let change = try #require(Timestamp(text: "2026-10-07T00:00:00Z"))
            harness.clock.advance(change.milliseconds - harness.now.timestamp.milliseconds - 1000)
            let ids = try await harness.enqueue([
                try Sample.job("before", route: route) { $0.cache = .off },
                try Sample.job("after", route: route) { $0.cache = .off },
            ])
            for _ in ids {
                let attempt = try await harness.claimOne()
                harness.clock.advance(2000)
                var settlement = Sample.success(attempt.key)
                settlement.answer?.model = route.model
                settlement.answer?.usage = Usage(cacheReadTokens: 1000)
                _ = try await harness.store.settle(settlement)
            }
            #expect(try await harness.job(ids[0]).cost == Money(nanodollars: 200_000))
            #expect(try await harness.job(ids[1]).cost == Money(nanodollars: 100_000))
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a job's own limit holds over all its attempts`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            try await warmUp(harness)
            let ids = try await harness.enqueue([
                try Sample.job("a") { $0.maxCost = worstCase("a") + Money(nanodollars: 1) }
            ])
            let attempt = try await harness.claimOne()
            try await harness.meet(
                Outcome(.broken(Breakage(kind: .timeout, message: "timed out", maySent: true))), attempt)
            harness.clock.advance(120_000)
            #expect(try await harness.claim(1).isEmpty)
            #expect(try await harness.job(ids[0]).error?.type == "max_cost_reached")
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a broken stream costs what was counted, and the rest of its worst case is unconfirmed`(
        _ tested: StoreUnderTest
    ) async throws {
        try await StoreHarness.run(tested) { harness in
            try await warmUp(harness)
            try await state(harness, daily(Money(nanodollars: 100_000_000)))
            try await harness.enqueue("a", "b")
            let attempts = try await harness.claim(2)
            func broken(_ isComplete: Bool) -> Settlement.Partial {
                Settlement.Partial(
                    usage: Usage(inputTokens: 10, outputTokens: 2, isComplete: isComplete))
            }
            try await harness.settle(attempts[0], broken(false))
            let known = Money(nanodollars: 20_000)
            #expect(try await ledger(harness).settled == known)
            #expect(try await ledger(harness).unconfirmedCost == worstCase("a") - known)
            try await harness.settle(attempts[1], broken(true))
            #expect(try await ledger(harness).settled == known + known)
            #expect(try await ledger(harness).unconfirmedCost == worstCase("a") - known)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a guess at what a broken stream used costs no more than its worst case`(_ tested: StoreUnderTest)
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await warmUp(harness)
            try await state(harness, daily(worstCase("a")))
            try await harness.enqueue("a")
            let guess = Usage(inputTokens: 21, outputTokens: 90, isComplete: false)
            try await harness.settle(try await harness.claimOne(), Settlement.Partial(usage: guess))
            let ledger = try await ledger(harness)
            #expect(
                ledger.settled == worstCase("a") && ledger.unconfirmedCost == .zero
                    && ledger.reserved == .zero)
        }
    }
}

extension Settlement {
    fileprivate struct Partial {
        var usage: Usage
    }
}

extension StoreHarness {
    /// Settles a call whose stream broke after so much was counted.
    fileprivate func settle(_ attempt: ClaimedAttempt, _ partial: Settlement.Partial) async throws {
        let outcome = Outcome(
            .broken(Breakage(kind: .truncated, message: "cut", maySent: true, usage: partial.usage)))
        let decision = Decision.decide(
            outcome, failures: attempt.failures, policy: RetryPolicy(), using: &random)
        _ = try await store.settle(
            Settlement(
                key: attempt.key, verdict: decision.verdict, routeEvent: .neutral, usage: partial.usage,
                unconfirmedCost: decision.unconfirmedCost))
    }
}
