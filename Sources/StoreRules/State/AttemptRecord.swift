package import Jobs

/// An attempt as its closing needs it.
package struct AttemptRecord: Sendable {
    package let key: AttemptKey
    package let route: Int64
    package let queue: Int64
    package let status: Attempt.Status
    package let openedAt: Moment
    /// The same by the calendar: the call has the prices of then, as its reservation did.
    package let openedOn: Timestamp
    /// Nil if the call is not to be shared.
    package let promptHash: [UInt8]?
    package let need: RouteLedger.Need
    package let reservedCost: Int64
    package let unconfirmedCost: Int64
    package let marks: RouteLedger.Marks
    /// The budget windows that hold its reservation.
    package let windows: [Int64]
    /// The job's own route: followers of the call wait there.
    package let home: Int64
    /// Where in that route's chain it flew; 0 for the route itself.
    package let position: Int
    /// With what it went to the provider; nil for a call of its own.
    package let providerBatch: Int64?

    package var job: Int64 { key.job.value }
    package var number: Int { key.number }

    package init(
        key: AttemptKey, route: Int64, queue: Int64, status: Attempt.Status, openedAt: Moment,
        openedOn: Timestamp, promptHash: [UInt8]?, need: RouteLedger.Need, reservedCost: Int64,
        unconfirmedCost: Int64, marks: RouteLedger.Marks, windows: [Int64], home: Int64, position: Int,
        providerBatch: Int64?
    ) {
        self.key = key
        self.route = route
        self.queue = queue
        self.status = status
        self.openedAt = openedAt
        self.openedOn = openedOn
        self.promptHash = promptHash
        self.need = need
        self.reservedCost = reservedCost
        self.unconfirmedCost = unconfirmedCost
        self.marks = marks
        self.windows = windows
        self.home = home
        self.position = position
        self.providerBatch = providerBatch
    }
}
