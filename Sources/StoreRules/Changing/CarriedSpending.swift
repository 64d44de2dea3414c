package import Jobs

/// What a window has already spent when its budget is stated: it counts.
///
/// What calls in flight have reserved, and what calls may have cost, goes on in their attempts, which name the new window
/// from now on; what is settled is known by day only, and is brought as a sum.
package struct CarriedSpending: Sendable {
    /// The attempts that still move money.
    package let attempts: [CarriedAttempt]
    /// What the window's days cost.
    package let settled: Money

    package init(attempts: [CarriedAttempt], settled: Money) {
        self.attempts = attempts
        self.settled = settled
    }

    package func opening(of budget: Budget, at now: Timestamp) -> OpeningBalance {
        func sum(_ money: (CarriedAttempt) -> Money) -> Money { attempts.reduce(.zero) { $0 + money($1) } }
        let (reserved, unconfirmed, cost) = (sum(\.reserved), sum(\.unconfirmedCost), sum(\.cost))
        let settled = max(cost, settled)
        return OpeningBalance(
            startsAt: budget.window.start(at: now), attempts: attempts.map(\.key), settled: settled,
            reserved: reserved, unconfirmedCost: unconfirmed, spentBefore: settled - cost,
            excess: max(.zero, settled + reserved + unconfirmed - budget.limit))
    }
}

/// An attempt whose money a new window takes over.
package struct CarriedAttempt: Sendable {
    package let key: AttemptKey
    package let reserved: Money
    package let cost: Money
    package let unconfirmedCost: Money

    package init(key: AttemptKey, reserved: Money, cost: Money, unconfirmedCost: Money) {
        self.key = key
        self.reserved = reserved
        self.cost = cost
        self.unconfirmedCost = unconfirmedCost
    }
}

/// A budget's first window as it begins.
package struct OpeningBalance: Hashable, Sendable {
    package let startsAt: Timestamp
    /// They move money in this window too.
    package let attempts: [AttemptKey]
    package let settled: Money
    package let reserved: Money
    package let unconfirmedCost: Money
    /// What is settled of attempts that do not name the window.
    package let spentBefore: Money
    /// By how much the window is overspent from the first.
    package let excess: Money
}
