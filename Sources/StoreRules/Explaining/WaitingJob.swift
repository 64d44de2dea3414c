package import Jobs

/// A queued job as it is needed to say what it waits for.
package struct WaitingJob: Sendable {
    package let id: Int64
    package let lane: Int64
    package let rank: Int64
    package let queue: Int64
    package let route: Int64
    /// Those of its tags that have a budget.
    package let tags: [String]
    package let call: CallFacts
    package let hold: Hold?
    package let failures: Int
    /// Its position in its route's chain of fallbacks.
    package let position: Int
    package let isHalfPrice: Bool
    /// The serving process whose interactive lane it is in.
    package let owner: Int64?
    /// Whether its batch is still taken in, or about to be cancelled.
    package let isSealed: Bool

    /// Why it is not ready.
    package struct Hold: Sendable {
        package let until: Timestamp
        /// Whether that is the time that its caller named, or its next try.
        package let isRunTime: Bool
        package let cause: Cause

        package enum Cause: Sendable {
            case time
            /// A call for the same prompt is awaited.
            case prompt
            /// A call that writes the same prefix is awaited.
            case prefix
        }

        package init(until: Timestamp, isRunTime: Bool, cause: Cause) {
            self.until = until
            self.isRunTime = isRunTime
            self.cause = cause
        }
    }

    package init(
        id: Int64, lane: Int64, rank: Int64, queue: Int64, route: Int64, tags: [String], call: CallFacts,
        hold: Hold?, failures: Int, position: Int, isHalfPrice: Bool, owner: Int64?, isSealed: Bool
    ) {
        self.id = id
        self.lane = lane
        self.rank = rank
        self.queue = queue
        self.route = route
        self.tags = tags
        self.call = call
        self.hold = hold
        self.failures = failures
        self.position = position
        self.isHalfPrice = isHalfPrice
        self.owner = owner
        self.isSealed = isSealed
    }

    var isInteractive: Bool { owner != nil }

    func call(_ settings: RuleSettings) -> CallFacts {
        var call = call
        call.moneyTokens = settings.moneyTokens(of: call.maxTokens, isInteractive: isInteractive)
        return call
    }
}

/// A lane with its queued jobs.
package struct WaitingLane: Sendable {
    package let id: Int64
    package let queue: Int64
    package let route: Int64
    package let jobs: Int
    /// The ready job that goes first; nil if all are held.
    package let head: Int64?
    package let isHalfPrice: Bool

    package init(id: Int64, queue: Int64, route: Int64, jobs: Int, head: Int64?, isHalfPrice: Bool) {
        self.id = id
        self.queue = queue
        self.route = route
        self.jobs = jobs
        self.head = head
        self.isHalfPrice = isHalfPrice
    }
}
