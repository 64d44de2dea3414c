package import Jobs

/// The rows that many attempts share: loaded once in a transaction, changed in memory, written back once.
package struct RowCache: Sendable {
    package private(set) var routes: [Int64: RouteState] = [:]
    package private(set) var queues: [Int64: QueueState] = [:]
    package private(set) var windows: [Int64: BudgetWindow] = [:]
    package private(set) var changed: (routes: Set<Int64>, queues: Set<Int64>, windows: Set<Int64>) = (
        [], [], []
    )

    package init() {}

    // MARK: Loading

    package mutating func load(_ route: RouteState) { routes[route.id] = route }
    package mutating func load(_ queue: QueueState) { queues[queue.id] = queue }
    package mutating func load(_ window: BudgetWindow) { windows[window.id] = window }

    // MARK: Changing

    package mutating func keep(_ route: RouteState) {
        routes[route.id] = route
        changed.routes.insert(route.id)
    }

    package mutating func keep(_ queue: QueueState) {
        queues[queue.id] = queue
        changed.queues.insert(queue.id)
    }

    package mutating func keep(_ window: BudgetWindow) {
        windows[window.id] = window
        changed.windows.insert(window.id)
    }
}

/// A window of a budget, as it is stored.
package struct BudgetWindow: Sendable {
    package let id: Int64
    package var ledger: BudgetLedger
    /// Whether its budget still counts.
    package let isInForce: Bool
    /// Whether the log has said that its money is spent.
    package var exhaustionLogged: Bool

    package init(id: Int64, ledger: BudgetLedger, isInForce: Bool, exhaustionLogged: Bool) {
        self.id = id
        self.ledger = ledger
        self.isInForce = isInForce
        self.exhaustionLogged = exhaustionLogged
    }
}
