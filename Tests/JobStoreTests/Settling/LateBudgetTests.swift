import Jobs
import Testing
import TestSupport

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
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            try await harness.enqueue(try ["a", "b", "c"].map(job))
            let attempts = try await harness.claim(3)
            try await harness.succeed(attempts[0])
            try await harness.settle(attempts[1].key, .handedBack(sent: true))
            let other = try await harness.store.set(
                Budget(name: "other", scope: .queue("none"), window: .day, limit: Self.limit))
            #expect(other.ledger.free == Self.limit)
            let budget = Budget(name: "late", scope: scope, window: .month, limit: Self.limit)
            let found = try await harness.store.set(budget).ledger
            // The one that warmed up was in another queue, without a tag.
            #expect(found.settled == (scope == .all ? Money(nanodollars: 82_000) : Sample.cost))
            #expect(found.reserved > .zero && found.unconfirmedCost > .zero)
            // From now on their money moves there as everybody's.
            try await harness.succeed(attempts[2])
            let end = try #require(try await harness.store.clearUnconfirmed(budget: "late"))
            #expect(end.ledger.settled == found.settled + Sample.cost)
            #expect(end.ledger.reserved == .zero && end.ledger.unconfirmedCost == .zero)
        }
    }

    @Test(arguments: Backend.allCases)
    func `one that is passed from the start pays for nothing more`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            try await harness.enqueue("a")
            try await harness.succeed(try await harness.claimOne())
            let ids = try await harness.enqueue("b")
            let status = try await harness.store.set(
                Budget(name: "small", window: .day, limit: Money(nanodollars: 400_000)))
            #expect(status.ledger.settled == Money(nanodollars: 82_000))
            #expect(try await harness.claim(1).isEmpty)
            #expect(try await harness.job(ids[0]).waitingFor?.reason == .budget)
            harness.clock.advance(86_400_000)
            #expect(try await harness.claim(1).count == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `yesterday is not today's`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            harness.clock.advance(86_400_000)
            let today = Budget(name: "today", window: .day, limit: Self.limit)
            #expect(try await harness.store.set(today).ledger.settled == .zero)
            let all = Budget(name: "all", window: .total, limit: Self.limit)
            #expect(try await harness.store.set(all).ledger.settled == Sample.cost)
        }
    }
}
