package import Jobs

/// An attempt about to be opened.
package struct NewAttempt: Sendable {
    package let key: AttemptKey
    package let worker: Int64
    /// The route it flies on, and the job's own.
    package let choice: RouteChoice
    package let home: Int64
    package let queue: Int64
    package let leaseUntil: Moment
    /// Nil if the call is not to be shared.
    package let promptHash: [UInt8]?
    package let need: RouteLedger.Need
    package let worstCase: Money
    /// The budget windows that hold the worst case.
    package let windows: [WindowReference]
    package let marks: RouteLedger.Marks
    /// Nil for a call of its own.
    package var providerBatch: BatchReference?

    package init(
        key: AttemptKey, worker: Int64, choice: RouteChoice, home: Int64, queue: Int64, leaseUntil: Moment,
        promptHash: [UInt8]?, need: RouteLedger.Need, worstCase: Money, windows: [WindowReference],
        marks: RouteLedger.Marks, providerBatch: BatchReference? = nil
    ) {
        self.key = key
        self.worker = worker
        self.choice = choice
        self.home = home
        self.queue = queue
        self.leaseUntil = leaseUntil
        self.promptHash = promptHash
        self.need = need
        self.worstCase = worstCase
        self.windows = windows
        self.marks = marks
        self.providerBatch = providerBatch
    }
}

/// A budget's window: one that is stored, or the one that this delta opens.
package enum WindowReference: Hashable, Sendable {
    case stored(Int64)
    case new(budget: Int64)
}

/// The route that a call takes: its job's own, or one down its chain.
package struct RouteChoice: Hashable, Sendable {
    package let route: Int64
    package let position: Int
    /// Why it is not the job's own.
    package let cause: Fallback.Cause?

    package init(route: Int64, position: Int, cause: Fallback.Cause?) {
        self.route = route
        self.position = position
        self.cause = cause
    }

    /// The request as it goes out: a fallback finds its own model in it.
    package func request(_ sent: SentRequest, for route: RouteKey) throws -> [UInt8] {
        position > 0 ? try NextRequest.escalation(of: sent.bytes, to: route.model) : sent.bytes
    }
}
