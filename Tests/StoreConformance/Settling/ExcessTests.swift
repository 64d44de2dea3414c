import Jobs
import TestSupport
import Testing

/// Answers that count what no call can have used.
@Suite struct ExcessTests {
    private func answer(searches: Int64) -> Answer {
        var answer = Sample.answer()
        answer.usage.webSearches = searches
        return answer
    }

    private func settle(_ harness: StoreHarness, _ attempt: ClaimedAttempt, searches: Int64) async throws {
        let settlement = Settlement(
            key: attempt.key, verdict: .succeeded, routeEvent: .succeeded, answer: answer(searches: searches))
        #expect(try await harness.store.settle(settlement) == .settled(.succeeded))
    }

    @Test(arguments: StoreUnderTest.all)
    func `what is booked is at most the reservation, and an event names the figure`(_ tested: StoreUnderTest)
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            let limit = Money(nanodollars: 10_000_000)
            try await harness.store.configure(budgets: [Budget(name: "daily", window: .day, limit: limit)])
            let ids = try await harness.enqueue(try Sample.jobs(20))
            while let attempt = try await harness.claim(1).first {
                try await settle(harness, attempt, searches: 1_000_000_000)
            }
            #expect(try await harness.states(ids).allSatisfy { $0 == .succeeded })
            let ledger = try #require(try await harness.store.budgets().first).ledger
            #expect(ledger.settled <= limit && ledger.reserved == .zero)
            let events = try await harness.store.events(before: nil, limit: 100).filter {
                $0.kind == .costCapped
            }
            #expect(events.count == 1, "one a minute")
            #expect(events.first?.subject == Sample.route.name)
            #expect(
                events.first?.message.contains("1000000000 searches on the web, $1000000.000000 ") == true)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a job with nothing reserved is booked with what a call can cost at most`(_ tested: StoreUnderTest)
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            let job = try Sample.job("search as you like") { $0.bound.webSearches = nil }
            let id = try await harness.enqueue([job])[0]
            try await settle(harness, try await harness.claimOne(), searches: 1_000_000_000)
            let cost = try await harness.job(id).cost
            #expect(cost > .zero && cost < Money(nanodollars: 100_000_000_000))
        }
    }
}
