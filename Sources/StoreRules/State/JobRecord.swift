package import Jobs

/// A job as decisions about it need it, without its bodies.
package struct JobRecord: Sendable {
    package let id: Int64
    package let lane: Int64
    package let place: LanePlace
    package let state: JobState
    package let attempt: Int
    package let attemptsCounted: Int
    package let maxAttempts: Int
    package let crashCount: Int
    package let batch: Int64?
    package let promptHash: [UInt8]
    package let requestBytes: Int
    package let maxTokens: Int
    package let failures: Int
    package let finishOrder: Int64?
    package let runAt: Timestamp
    package let answer: Int64?
    package let prefix: CachePrefix?
    /// How many calls had succeeded on a route when the job first failed there, or at its last failure that counted.
    package let blame: JobBlame?
    /// Failures that were not counted though they may have been paid for.
    package let forgiven: Int
    /// Its position in its route's chain of fallbacks.
    package let position: Int
    package let tags: [String]
    package let hasCheck: Bool

    package init(
        id: Int64, lane: Int64, place: LanePlace, state: JobState, attempt: Int, attemptsCounted: Int,
        maxAttempts: Int, crashCount: Int, batch: Int64?, promptHash: [UInt8], requestBytes: Int,
        maxTokens: Int, failures: Int, finishOrder: Int64?, runAt: Timestamp, answer: Int64?,
        prefix: CachePrefix?, blame: JobBlame?, forgiven: Int, position: Int, tags: [String], hasCheck: Bool
    ) {
        self.id = id
        self.lane = lane
        self.place = place
        self.state = state
        self.attempt = attempt
        self.attemptsCounted = attemptsCounted
        self.maxAttempts = maxAttempts
        self.crashCount = crashCount
        self.batch = batch
        self.promptHash = promptHash
        self.requestBytes = requestBytes
        self.maxTokens = maxTokens
        self.failures = failures
        self.finishOrder = finishOrder
        self.runAt = runAt
        self.answer = answer
        self.prefix = prefix
        self.blame = blame
        self.forgiven = forgiven
        self.position = position
        self.tags = tags
        self.hasCheck = hasCheck
    }

    /// Whether this attempt is the one that holds the job.
    package func isHeld(by attempt: AttemptRecord) -> Bool {
        state == .running && self.attempt == attempt.number
    }
}

/// From when on a job's failures on a route count.
package struct JobBlame: Hashable, Sendable {
    package let route: Int64
    package let mark: Int

    package init(route: Int64, mark: Int) {
        self.route = route
        self.mark = mark
    }
}
