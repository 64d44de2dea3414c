package import Jobs

/// What a claim begins with.
package struct ClaimSnapshot: Sendable {
    package var scheduler: FairScheduler
    package var book: BudgetBook
    /// Those of the worker's keys that are refused.
    package var refusedKeys: [ServiceKey: CredentialState]
    /// Whether jobs are on their way to other lanes, as budgets have changed: each is looked at before it is taken.
    package var lanesChange: Bool

    package init(
        scheduler: FairScheduler, book: BudgetBook, refusedKeys: [ServiceKey: CredentialState],
        lanesChange: Bool
    ) {
        self.scheduler = scheduler
        self.book = book
        self.refusedKeys = refusedKeys
        self.lanesChange = lanesChange
    }
}

/// What a claim decided.
package struct ClaimDecision: Sendable {
    package var delta = Delta()
    package var rowCache = RowCache()
    /// Calls to be made; their requests are still to be read.
    package var calls: [OpenedCall] = []
    package var settledFromCache = 0
    package var drainFirst = false
    package var more = false
    package var wakeAfter: Milliseconds?

    /// Jobs settled from the cache, held or failed.
    var asides = 0

    package mutating func wake(after delay: Milliseconds) {
        wakeAfter = min(wakeAfter ?? .max, delay)
    }
}

/// A call that a claim opened.
package struct OpenedCall: Sendable {
    package let key: AttemptKey
    let queue: String
    let route: RouteKey
    let choice: RouteChoice
    let job: Candidate
    let leaseUntil: Moment
    let isProbe: Bool
    let learnsLimits: Bool

    /// As its worker gets it.
    package func claimed(_ sent: SentRequest, at now: Timestamp) throws -> ClaimedAttempt {
        var claimed = ClaimedAttempt(
            key: key, queue: queue, route: route, request: try choice.request(sent, for: route),
            maxTokens: job.call.maxTokens, openedAt: now, leaseUntil: leaseUntil, deadline: job.deadline,
            failures: job.failures, alone: job.runsAlone)
        claimed.check = sent.check
        claimed.isKeyed = sent.isKeyed
        claimed.betas = sent.betas
        claimed.isProbe = isProbe
        claimed.learnsLimits = learnsLimits
        return claimed
    }
}
