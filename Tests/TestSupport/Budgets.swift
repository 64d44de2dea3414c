package import Jobs

extension Changing {
    /// States budgets one after the other.
    package func configure(budgets: [Budget]) async throws {
        for budget in budgets { _ = try await set(budget) }
    }
}
