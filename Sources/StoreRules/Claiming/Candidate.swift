package import Jobs

/// A ready job as a claim needs it to place it, without its bodies.
package struct Candidate: Sendable {
    package let id: Int64
    package let rank: Int64
    package let attempt: Int
    package let failures: Int
    package let crashCount: Int
    package let cache: CacheMode
    package let promptHash: [UInt8]
    package let deadline: Timestamp?
    package let batch: Int64?
    /// Its position in its route's chain of fallbacks.
    package let position: Int
    package let cause: Fallback.Cause?
    /// Whether it waits for no identical call.
    package let skipsCoalescing: Bool
    package let maxCost: Money?
    package let prefix: CachePrefix?
    /// What its call takes.
    package var call: CallFacts

    package init(
        id: Int64, rank: Int64, attempt: Int, failures: Int, crashCount: Int, cache: CacheMode,
        promptHash: [UInt8], deadline: Timestamp?, batch: Int64?, position: Int, cause: Fallback.Cause?,
        skipsCoalescing: Bool, maxCost: Money?, prefix: CachePrefix?, call: CallFacts
    ) {
        self.id = id
        self.rank = rank
        self.attempt = attempt
        self.failures = failures
        self.crashCount = crashCount
        self.cache = cache
        self.promptHash = promptHash
        self.deadline = deadline
        self.batch = batch
        self.position = position
        self.cause = cause
        self.skipsCoalescing = skipsCoalescing
        self.maxCost = maxCost
        self.prefix = prefix
        self.call = call
    }

    package var runsAlone: Bool { crashCount >= Poison.aloneAfter }

    package func identity(lane: Int64, route: Int64) -> JobIdentity {
        JobIdentity(id: id, lane: lane, route: route, batch: batch, promptHash: promptHash, prefix: prefix)
    }

    /// Whether an answer that is there, or that an identical call is waiting for, will do.
    func takesSharedAnswers(_ settings: RuleSettings) -> Bool {
        cache == .use && settings.sharesAnswers
    }

    /// The prompt under which others may wait for its call; nil if they may not.
    func sharedPrompt(_ settings: RuleSettings) -> [UInt8]? {
        cache == .off || !settings.sharesAnswers ? nil : promptHash
    }

    package var nextAttempt: AttemptKey { AttemptKey(job: JobID(id), number: attempt + 1) }
}

/// What a call takes of limits and budgets.
package struct CallFacts: Sendable {
    package let requestBytes: Int
    package let maxTokens: Int
    /// The output for which budgets must have the money.
    package var moneyTokens: Int
    package let bound: CostBound

    package init(requestBytes: Int, maxTokens: Int, moneyTokens: Int? = nil, bound: CostBound) {
        self.requestBytes = requestBytes
        self.maxTokens = maxTokens
        self.moneyTokens = moneyTokens ?? maxTokens
        self.bound = bound
    }
}

/// A lane that has ready jobs and whose queue is not paused.
package struct ReadyLane: Sendable {
    package let id: Int64
    package let queue: Int64
    package let route: Int64
    /// Those of its jobs' tags that have a budget.
    package let tags: [String]
    /// The serving process whose interactive lane it is; nil for a common one.
    package let owner: Int64?

    package init(id: Int64, queue: Int64, route: Int64, tags: [String], owner: Int64?) {
        self.id = id
        self.queue = queue
        self.route = route
        self.tags = tags
        self.owner = owner
    }

    package var isInteractive: Bool { owner != nil }

    /// Whether its jobs are the claiming worker's to take.
    package func isOpen(to request: ClaimRequest) -> Bool {
        owner == (request.partition == .interactive ? request.worker.value : nil)
    }
}

/// A job that outlives worker after worker is suspected of killing them.
package enum Poison {
    /// After so many crashes a job runs with no neighbours.
    ///
    /// The index `job_alone` says the same number.
    package static let aloneAfter = 3
    /// After so many more it fails.
    package static let failAfter = 13
    /// A worker that is draining for such a job has so long before another is asked to.
    package static let patience: Milliseconds = 60_000
}

/// Its position in its lane: earlier is lower.
package enum Rank {
    /// One step of priority is worth this much age, so waiting overtakes priority by itself.
    package static let agingStep: Milliseconds = 60_000

    package static func of(createdAt: Timestamp, priority: Int) -> Int64 {
        createdAt.milliseconds - Int64(priority) * agingStep
    }
}
