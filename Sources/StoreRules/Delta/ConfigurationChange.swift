package import Jobs

/// What an operator sets of a queue.
package enum QueueChange: Sendable {
    case paused(Bool)
    case concurrency(Int?)
    case weight(Int)
    case check(QueueCheck?)
    case requirement(QueueRequirement)
}

/// A queue's check, for jobs that bring none.
package struct QueueCheck: Sendable {
    package let rules: [UInt8]
    /// One for each escalation, in order.
    package let routes: [Int64]

    package init(rules: [UInt8], routes: [Int64]) {
        self.rules = rules
        self.routes = routes
    }
}

/// What an operator sets of a route, besides its ledger.
package enum RouteChange: Sendable {
    case paused(Bool)
    case concurrency(Int?)
    case forgetLimit(RouteLedger.Meter)
    /// The next call tries each of the service's refused keys; a refusal sets that key aside again.
    case acceptCredentials(ServiceKey)
    /// Its provider batches are looked after at once.
    case pollBatches
}

/// What an operator sets of budgets.
package enum BudgetChange: Sendable {
    /// With its first window.
    case begin(Budget, statedBy: String?, OpeningBalance)
    /// `announcesAnew` the shares that are spent.
    case change(Int64, Budget, statedBy: String?, announcesAnew: Bool)
    /// Out of force for good, under another name.
    case retire(Int64)
    /// Out of force.
    case remove(String)
    /// No file is in force any more: its budgets go on, and may be changed.
    case leaveFiles
}
