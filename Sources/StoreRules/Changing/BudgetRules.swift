package import Jobs

/// A budget as it is stored.
package struct StoredBudget: Sendable {
    package let id: Int64
    package let budget: Budget
    package let isInForce: Bool
    /// The configuration file that states it.
    package let statedBy: String?

    package init(id: Int64, budget: Budget, isInForce: Bool, statedBy: String?) {
        self.id = id
        self.budget = budget
        self.isInForce = isInForce
        self.statedBy = statedBy
    }
}

// Stating budgets, and taking them away.
extension Delta {
    /// `carried` is what a new budget's window has already spent; asked for only if it is needed.
    package mutating func state(
        _ budget: Budget, by file: String?, known: StoredBudget?, at now: Timestamp,
        carried: () throws -> CarriedSpending
    ) rethrows {
        if let known {
            let isSame = known.budget.scope == budget.scope && known.budget.window == budget.window
            if isSame, known.isInForce {
                // Shares of another amount are announced again.
                let isOther = known.budget.limit != budget.limit
                return add(.budget(.change(known.id, budget, statedBy: file, announcesAnew: isOther)))
            }
            // Other jobs, another time, or a while out of force: another budget. Attempts may still be open in the old one.
            add(.budget(.retire(known.id)))
        }
        let opening = try carried().opening(of: budget, at: now)
        add(.budget(.begin(budget, statedBy: file, opening)))
    }

    /// False if there is none in force.
    package mutating func remove(_ known: StoredBudget?) -> Bool {
        guard let known, known.isInForce else { return false }
        add(.budget(.remove(known.budget.name)))
        return true
    }

    /// What files stated before, once one is in force that names these; what it does not name is out of force.
    package mutating func keepBudgets(_ named: Set<String>, of stated: [String]) {
        for name in stated where !named.contains(name) { add(.budget(.remove(name))) }
    }

    // MARK: Unconfirmed money

    /// What a person knows of these calls holds in every budget that covered them.
    ///
    /// The cache must have the window and those of the attempts.
    package mutating func clearUnconfirmed(
        in window: Int64, _ attempts: [UnconfirmedAttempt], in rowCache: inout RowCache, now: Now
    ) {
        guard let cleared = rowCache.windows[window]?.ledger else { return }
        for attempt in attempts { clear(attempt, in: &rowCache, now: now) }
        // Attempts that were pruned meanwhile have left theirs behind.
        if var window = rowCache.windows[window] {
            window.ledger.unconfirmedCost = .zero
            rowCache.keep(window)
        }
        let name = cleared.budget.name
        let message = "$\(cleared.unconfirmedCost) unconfirmed was cleared in budget \(name)"
        record(NewEvent(.unconfirmedCostCleared, name, message))
    }

    private mutating func clear(_ attempt: UnconfirmedAttempt, in rowCache: inout RowCache, now: Now) {
        add(.clearUnconfirmed(attempt.key))
        let amount = attempt.unconfirmedCost
        apply(
            BudgetLedger.Change(unconfirmedCost: .zero - amount), to: attempt.windows, in: &rowCache, now: now
        )
        tallies.spent(lane: attempt.lane, tags: attempt.tags, at: now.timestamp) {
            $0.unconfirmedCost -= amount.nanodollars
        }
        tallies.booked(batch: attempt.batch) { $0.unconfirmedCost -= amount.nanodollars }
    }
}

/// A closed attempt that may have been paid for.
package struct UnconfirmedAttempt: Sendable {
    package let key: AttemptKey
    package let unconfirmedCost: Money
    package let windows: [Int64]
    package let lane: Int64
    package let batch: Int64?
    package var tags: [String] = []

    package init(
        key: AttemptKey, unconfirmedCost: Money, windows: [Int64], lane: Int64, batch: Int64?
    ) {
        self.key = key
        self.unconfirmedCost = unconfirmedCost
        self.windows = windows
        self.lane = lane
        self.batch = batch
    }
}
