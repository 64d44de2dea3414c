package import Jobs

/// What decisions go by besides what is stored.
package struct RuleSettings: Sendable {
    /// How long an answer may be served to others; 0 turns the cache off.
    package var cacheTTL: Milliseconds
    /// Which routes may answer in another's place.
    package var fallbacks: FallbackChains
    package var prices: PriceTable
    /// What an interactive call reserves of its output limit in budgets; nil for all of it.
    package var interactiveReserveTokens: Int?

    package init(
        cacheTTL: Milliseconds = 30 * 86_400_000, fallbacks: FallbackChains = FallbackChains(),
        prices: PriceTable = .standard, interactiveReserveTokens: Int? = nil
    ) {
        self.cacheTTL = cacheTTL
        self.fallbacks = fallbacks
        self.prices = prices
        self.interactiveReserveTokens = interactiveReserveTokens
    }

    package var sharesAnswers: Bool { cacheTTL > 0 }

    /// The output for which budgets must have the money.
    package func moneyTokens(of maxTokens: Int, isInteractive: Bool) -> Int {
        isInteractive ? min(maxTokens, interactiveReserveTokens ?? maxTokens) : maxTokens
    }
}
