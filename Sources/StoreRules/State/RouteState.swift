package import Jobs

/// A route as one decision sees and changes it: who it is, and its ledger.
package struct RouteState: Sendable {
    package let id: Int64
    package let key: RouteKey
    package var ledger: RouteLedger

    package init(id: Int64, key: RouteKey, ledger: RouteLedger) {
        self.id = id
        self.key = key
        self.ledger = ledger
    }
}
