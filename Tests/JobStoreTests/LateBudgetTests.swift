import Jobs
import Testing

/// Budgets that are stated when some of their window has been spent.
@Suite struct LateBudgetTests {
    private static let scopes: [Budget.Scope] = [.all, .queue("q"), .tag("t")]
    private static let limit = Money(nanodollars: 1_000_000_000)

    private func job(_ text: String) throws -> NewJob {
        try Sample.job(text, queue: "q") { $0.tags = ["t"] }
    }

    @Test(arguments: Backend.allCases, LateBudgetTests.scopes)
    func `what its window has spent, reserved and perhaps spent counts`(
        _ backend: Backend, _ scope: Budget.Scope
    ) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            try await bench.enqueue(try ["a", "b", "c"].map(job))
            let attempts = try await bench.claim(3)
            try await bench.succeed(attempts[0])
            try await bench.settle(attempts[1].key, .handedBack(sent: true))
            let other = try await bench.store.set(
                Budget(name: "other", scope: .queue("none"), window: .day, limit: Self.limit),
                now: bench.now)
            #expect(other.ledger.free == Self.limit)
            let budget = Budget(name: "late", scope: scope, window: .month, limit: Self.limit)
            let found = try await bench.store.set(budget, now: bench.now).ledger
            // The one that warmed up was in another queue, without a tag.
            #expect(found.settled == (scope == .all ? Money(nanodollars: 82_000) : Sample.cost))
            #expect(found.reserved > .zero && found.maybePaid > .zero)
            // From now on their money moves there as everybody's.
            try await bench.succeed(attempts[2])
            let end = try #require(try await bench.store.clearMaybePaid(budget: "late", now: bench.now))
            #expect(end.ledger.settled == found.settled + Sample.cost)
            #expect(end.ledger.reserved == .zero && end.ledger.maybePaid == .zero)
        }
    }

    @Test(arguments: Backend.allCases)
    func `one that is passed from the start pays for nothing more`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            try await bench.enqueue("a")
            try await bench.succeed(try await bench.claimOne())
            let ids = try await bench.enqueue("b")
            let status = try await bench.store.set(
                Budget(name: "small", window: .day, limit: Money(nanodollars: 400_000)), now: bench.now)
            #expect(status.ledger.settled == Money(nanodollars: 82_000))
            #expect(try await bench.claim(1).isEmpty)
            #expect(try await bench.job(ids[0]).waitingFor?.gate == .budget)
            bench.clock.advance(86_400_000)
            #expect(try await bench.claim(1).count == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `yesterday is not today's`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            bench.clock.advance(86_400_000)
            let today = Budget(name: "today", window: .day, limit: Self.limit)
            #expect(try await bench.store.set(today, now: bench.now).ledger.settled == .zero)
            let all = Budget(name: "all", window: .total, limit: Self.limit)
            #expect(try await bench.store.set(all, now: bench.now).ledger.settled == Sample.cost)
        }
    }
}
