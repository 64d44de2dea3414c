package import Jobs

extension Changing {
    /// States budgets one after the other.
    package func configure(budgets: [Budget], now: Now) async throws {
        for budget in budgets { _ = try await set(budget, now: now) }
    }
}
