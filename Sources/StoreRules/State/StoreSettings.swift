package import Jobs

/// What every store needs to know, whatever it is made of.
package struct StoreSettings: Sendable {
    /// What decisions go by.
    package var rules: RuleSettings
    /// The fingerprint of the configuration file that these are of, empty without one; nil is never asked.
    ///
    /// While another is in force, nothing is claimed.
    package var configuration: String?
    /// Receives what happened in this process's own operations, after their commit; must not block.
    package var onEvent: @Sendable (StoredEvent) -> Void
    /// Receives, once, each change of a state that this process's own operations made, after their commit; must not
    /// block.
    package var onNotice: @Sendable (StateNotice) -> Void
    /// What an operation draws its pauses and marks from; a test that shall be repeated states its own.
    package var randomness: @Sendable () -> any RandomNumberGenerator = { SystemRandom() }

    package init(
        cacheTTL: Milliseconds = 30 * 86_400_000, fallbacks: FallbackChains = FallbackChains(),
        prices: PriceTable = .standard, onEvent: @escaping @Sendable (StoredEvent) -> Void = { _ in },
        onNotice: @escaping @Sendable (StateNotice) -> Void = { _ in }
    ) {
        rules = RuleSettings(cacheTTL: cacheTTL, fallbacks: fallbacks, prices: prices)
        self.onEvent = onEvent
        self.onNotice = onNotice
    }

    /// Which routes may answer in another's place.
    package var fallbacks: FallbackChains {
        get { rules.fallbacks }
        set { rules.fallbacks = newValue }
    }

    package var prices: PriceTable {
        get { rules.prices }
        set { rules.prices = newValue }
    }

    /// What an interactive call reserves of its output limit in budgets; nil for all of it.
    package var interactiveReserveTokens: Int? {
        get { rules.interactiveReserveTokens }
        set { rules.interactiveReserveTokens = newValue }
    }

    /// Takes what a file says, which was read again.
    package mutating func goBy(_ file: ConfiguredTerms) {
        configuration = file.fingerprint
        (prices, fallbacks) = (file.prices, file.fallbacks)
    }

    /// Hands on what an operation told, once it is committed.
    package func report(_ events: [StoredEvent], _ notices: [StateNotice]) {
        for event in events { onEvent(event) }
        for notice in notices { onNotice(notice) }
    }
}
