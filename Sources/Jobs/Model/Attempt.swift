/// One try, by its job and its number: the number is the fencing token.
package struct AttemptKey: Hashable, Sendable {
    package var job: JobID
    package var number: Int

    package init(job: JobID, number: Int) {
        self.job = job
        self.number = number
    }
}

/// An open attempt as its worker gets it: all that is needed to make the call.
package struct ClaimedAttempt: Sendable {
    package var key: AttemptKey
    package var queue: String
    package var route: RouteKey
    package var request: [UInt8]
    package var maxTokens: Int
    package var openedAt: Timestamp
    /// The lease ends here unless it is renewed.
    package var leaseUntil: Moment
    package var deadline: Timestamp?
    /// How many attempts of this job have failed in a row before this one, counted or not: the exponent of its backoff.
    package var failures: Int
    /// The job has outlived several workers: it runs with no neighbours.
    package var alone: Bool
    /// What the answer must be.
    package var check: OpenCheck?
    /// Whether its caller can come back for its answer, by the idempotency key.
    package var isKeyed = false
    /// Beta features that the call asks for.
    package var betas: [String] = []
    /// It tries whether its route's gate may open: that its answer begins is news.
    package var isProbe = false
    /// The limits of its route are not known: what the head of its answer says of them is news.
    package var learnsLimits = false

    package init(
        key: AttemptKey, queue: String, route: RouteKey, request: [UInt8], maxTokens: Int,
        openedAt: Timestamp, leaseUntil: Moment, deadline: Timestamp?, failures: Int, alone: Bool
    ) {
        self.key = key
        self.queue = queue
        self.route = route
        self.request = request
        self.maxTokens = maxTokens
        self.openedAt = openedAt
        self.leaseUntil = leaseUntil
        self.deadline = deadline
        self.failures = failures
        self.alone = alone
    }
}

/// One line of a job's history.
package struct Attempt: Sendable {
    package enum Status: String, Sendable {
        case open, settled
        case writtenOff = "written_off"
    }

    package var number: Int
    package var status: Status
    package var worker: String
    package var route: String
    package var openedAt: Timestamp
    package var closedAt: Timestamp?
    /// What the outcome meant: `succeeded`, `again`, `waited`, `failed`, `handed_back`, `lease_lost`;
    /// for an answer that failed its check `repair`, `escalate`, `review`, `failed`.
    package var verdict: String?
    package var counted: Bool
    package var error: JobError?
    package var requestID: String?
    package var usage: Usage?
    package var cost: Money
    /// What a call whose answer never came may have cost at most.
    package var unconfirmedCost: Money
    /// Why it did not fly on the job's own route; nil if it did.
    package var fallback: Fallback.Cause?

    package init(
        number: Int, status: Status, worker: String, route: String, openedAt: Timestamp, closedAt: Timestamp?,
        verdict: String?, counted: Bool, error: JobError?, requestID: String?, usage: Usage?, cost: Money,
        unconfirmedCost: Money, fallback: Fallback.Cause? = nil
    ) {
        self.number = number
        self.status = status
        self.worker = worker
        self.route = route
        self.openedAt = openedAt
        self.closedAt = closedAt
        self.verdict = verdict
        self.counted = counted
        self.error = error
        self.requestID = requestID
        self.usage = usage
        self.cost = cost
        self.unconfirmedCost = unconfirmedCost
        self.fallback = fallback
    }
}
