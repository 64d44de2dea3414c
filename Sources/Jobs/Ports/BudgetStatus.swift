/// A budget as people see it, in its present window.
package struct BudgetStatus: Hashable, Sendable {
    package var ledger: BudgetLedger
    package var startsAt: Timestamp
    /// When the next window begins; nil for a total.
    package var endsAt: Timestamp?
    /// The configuration file that states it.
    package var statedBy: String?

    package init(ledger: BudgetLedger, startsAt: Timestamp, endsAt: Timestamp?) {
        self.ledger = ledger
        self.startsAt = startsAt
        self.endsAt = endsAt
    }
}

/// Something that operators should know of, kept for a while.
package struct StoredEvent: Hashable, Sendable {
    package enum Kind: String, Sendable {
        case budgetAlert = "budget_alert"
        case unconfirmedCostCleared = "unconfirmed_cost_cleared"
        /// An answer said that it cost more than its call can have cost.
        case costCapped = "cost_capped"
    }

    /// Grows with every event.
    package var id: Int64
    package var at: Timestamp
    package var kind: Kind
    /// What it speaks of: the name of a budget or of a route.
    package var subject: String
    /// For people.
    package var message: String
    /// The share in percent, of an alert.
    package var percent: Int?

    package init(
        id: Int64, at: Timestamp, kind: Kind, subject: String, message: String, percent: Int? = nil
    ) {
        self.id = id
        self.at = at
        self.kind = kind
        self.subject = subject
        self.message = message
        self.percent = percent
    }
}

/// By what spending is broken down.
package enum SpendAxis: String, Sendable, CaseIterable {
    case day, model, queue, tag
}

/// One line of the breakdown.
package struct SpendShare: Hashable, Sendable {
    /// The day, model, queue or tag.
    package var name: String
    package var calls: Int
    package var cost: Money
    package var unconfirmedCost: Money
    /// Jobs answered without a call of their own, and what that saved.
    package var cacheHits: Int
    package var saved: Money
    /// Those of them that waited for another job's call in flight.
    package var sharedHits: Int
    package var sharedSaved: Money
    /// Calls that went with batches of the provider: what they cost, and what they would have cost by themselves.
    package var batchCalls: Int
    package var batchCost: Money
    package var batchFullCost: Money

    package init(
        name: String, calls: Int, cost: Money, unconfirmedCost: Money, cacheHits: Int, saved: Money,
        sharedHits: Int,
        sharedSaved: Money, batchCalls: Int, batchCost: Money, batchFullCost: Money
    ) {
        self.name = name
        self.calls = calls
        self.cost = cost
        self.unconfirmedCost = unconfirmedCost
        self.cacheHits = cacheHits
        self.saved = saved
        self.sharedHits = sharedHits
        self.sharedSaved = sharedSaved
        self.batchCalls = batchCalls
        self.batchCost = batchCost
        self.batchFullCost = batchFullCost
    }
}
