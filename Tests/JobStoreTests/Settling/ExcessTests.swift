import Jobs
import SQLite
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

    @Test(arguments: Backend.allCases)
    func `what is booked is at most the reservation, and an event names the figure`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
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

    @Test(arguments: Backend.allCases)
    func `a job with nothing reserved is booked with what a call can cost at most`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            let job = try Sample.job("search as you like") { $0.bound.webSearches = nil }
            let id = try await harness.enqueue([job])[0]
            try await settle(harness, try await harness.claimOne(), searches: 1_000_000_000)
            let cost = try await harness.job(id).cost
            #expect(cost > .zero && cost < Money(nanodollars: 100_000_000_000))
        }
    }

    /// Without the audit, which would find what is put into the rows here.
    @Test func `columns of money that are full stay full, and settling and looking go on`() async throws {
        let directory = try TemporaryDirectory()
        let store = try await Backend.sqlite.open(directory)
        let worker = try await store.register(NewWorker(name: "bench", host: "here", processID: 1, slots: 5))
        try await store.configure(route: Sample.route, limits: RouteLimits(requests: 1_000_000))
        let jobs = try (0..<3).map { try Sample.job("full \($0)") { $0.tags = ["t"] } }
        _ = try await store.enqueue(jobs, atomically: false)
        var settled = 0
        while let attempt = try await store.claim(
            ClaimRequest(worker: worker, slots: 1, running: 0, lease: 30_000, services: [Sample.service])
        ).attempts.first {
            #expect(try await store.settle(Sample.success(attempt.key)) == .settled(.succeeded))
            settled += 1
            let rows = try Connection(path: directory.database)
            for table in ["spend", "spend_tag"] {
                _ = try rows.run(
                    SQL("UPDATE \(table) SET cost = 9223372036854775807, saved = 9223372036854775806"))
            }
        }
        #expect(settled == jobs.count)
        for axis in SpendAxis.allCases {
            let shares = try await store.spend(by: axis, days: 3)
            #expect(shares.count == 1 && shares.first?.cost.nanodollars == .max, "\(axis)")
        }
        #expect(try await store.stats().spend.first?.cost.nanodollars == .max)
        await store.close()
    }
}
