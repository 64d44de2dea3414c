package import Jobs

/// What a settlement must know besides the cached rows.
package struct SettleSnapshot: Sendable {
    package let attempt: AttemptRecord
    package let job: JobRecord
    /// The name of the route that was called.
    package var routeName = ""
    /// The key that it was called with, and the workers that have it; nil if its worker said nothing of it.
    package var credential: (state: CredentialState, workers: [String])?
    /// The job's own route; needed with fallbacks.
    package var home: RouteKey?
    /// The job's check; needed if the answer failed it.
    package var check: CheckSnapshot?
    /// Whether this attempt writes the provider's prompt cache for others.
    package var wroteItsPrefix = false
    /// Settled attempts on other routes, one for each, oldest first; needed if the job may fail.
    package var otherFailures: [RouteFailure] = []

    package init(attempt: AttemptRecord, job: JobRecord) {
        self.attempt = attempt
        self.job = job
    }

    package struct RouteFailure: Sendable {
        package let route: String
        package let error: JobError?

        package init(route: String, error: JobError?) {
            self.route = route
            self.error = error
        }
    }
}

/// What must be loaded for a settlement besides its attempt and its job.
package struct SettleNeeds: Sendable {
    package let credential: Bool
    package let home: Bool
    package let check: CheckFailure?
    package let prefix: CachePrefix?
    package let otherFailures: Bool

    /// `someKeyIsRefused` anywhere.
    package init(
        _ settlement: Settlement, _ attempt: AttemptRecord, _ job: JobRecord, _ settings: RuleSettings,
        someKeyIsRefused: Bool
    ) {
        let isOpen = attempt.status == .open
        credential =
            isOpen && attempt.providerBatch == nil
            && (settlement.routeEvent == .unauthorized || someKeyIsRefused)
        home = isOpen && !settings.fallbacks.isEmpty && Fallback.Cause(settlement) != nil
        let isHeld = isOpen && job.isHeld(by: attempt)
        if case .rejected(let failure) = settlement.verdict, isHeld { check = failure } else { check = nil }
        prefix = isOpen && attempt.route == attempt.home ? job.prefix : nil
        otherFailures = isHeld && attempt.number > 1 && settlement.verdict != .succeeded
    }
}
