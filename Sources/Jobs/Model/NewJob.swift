/// A job as it is handed to the store: read, checked and hashed already.
package struct NewJob: Sendable {
    package var queue: String
    /// The caller's own name for it, unique within the queue while the job is kept.
    package var customID: String?
    /// −100 … 100, higher first.
    package var priority: Int
    /// Not before; nil means now.
    ///
    /// `delay` is added to the store's own clock at enqueue.
    package var runAt: Timestamp?
    package var delay: Milliseconds?
    package var deadline: Timestamp?
    package var maxAttempts: Int
    package var cache: CacheMode
    /// Which of several answers to one prompt: part of the prompt hash, kept for when the request is changed.
    package var sample: Int
    package var tags: [String]
    /// The caller's JSON, verbatim; nil if none was given.
    package var metadata: [UInt8]?
    /// The Messages request, verbatim but for `model` and `max_tokens` filled in if they were missing.
    package var request: [UInt8]
    package var route: RouteKey
    /// The name that was asked for: an alias, a route's name, or the route's model itself.
    package var requestedModel: String
    package var maxTokens: Int
    /// What its prompt can be at most, for budgets.
    package var bound: CostBound
    /// What all its attempts together may cost; nil for no limit of its own.
    package var maxCost: Money?
    package var promptHash: PromptHash
    /// SHA-256 over the canonical form of all that the caller said of this job: tells a repetition from a conflict.
    package var fingerprint: [UInt8]
    package var batch: BatchID?
    /// Makes a repeated upload harmless: the caller's `Idempotency-Key` and the job's place in that request.
    package var idempotency: Idempotency?
    /// What the answer must be; nil for the queue's own check, if it has one.
    package var check: NewCheck?
    /// The queue's check does not count for this job.
    package var refusesQueueCheck = false
    /// The provider's beta features that the call asks for, beside those that the provider's settings name.
    package var betas: [String] = []
    /// Whether it waits for one of the provider's own batches, at half the price.
    package var isHalfPrice = false
    /// What it shares with others and the provider caches.
    package var prefix: CachePrefix?

    package struct Idempotency: Hashable, Sendable {
        package var key: String
        package var ordinal: Int

        package init(key: String, ordinal: Int) {
            self.key = key
            self.ordinal = ordinal
        }
    }

    package init(
        queue: String, customID: String? = nil, priority: Int = 0, runAt: Timestamp? = nil,
        delay: Milliseconds? = nil,
        deadline: Timestamp? = nil, maxAttempts: Int = 4, cache: CacheMode = .use, sample: Int = 0,
        tags: [String] = [], metadata: [UInt8]? = nil, request: [UInt8], route: RouteKey,
        requestedModel: String? = nil, maxTokens: Int,
        bound: CostBound = .unknown, maxCost: Money? = nil, promptHash: PromptHash,
        fingerprint: [UInt8], batch: BatchID? = nil, idempotency: Idempotency? = nil
    ) {
        self.queue = queue
        self.customID = customID
        self.priority = priority
        self.runAt = runAt
        self.delay = delay
        self.deadline = deadline
        self.maxAttempts = maxAttempts
        self.cache = cache
        self.sample = sample
        self.tags = tags
        self.metadata = metadata
        self.request = request
        self.route = route
        self.requestedModel = requestedModel ?? route.model
        self.maxTokens = maxTokens
        self.bound = bound
        self.maxCost = maxCost
        self.promptHash = promptHash
        self.fingerprint = fingerprint
        self.batch = batch
        self.idempotency = idempotency
    }
}

/// How a job treats cached answers.
package enum CacheMode: String, Sendable, CaseIterable {
    /// Takes an answer that is there, shares a call in flight, leaves its own answer for others.
    case use
    /// Makes its own call, and leaves the answer for others.
    case refresh
    /// Makes its own call, and leaves nothing.
    case off
}

/// What became of one `NewJob`.
package enum EnqueueOutcome: Hashable, Sendable {
    case created(JobID)
    /// The same job was there already, by its `custom_id` or by the idempotency key.
    case existing(JobID)
    /// Another job holds that `custom_id` in that queue.
    case customIDTaken(by: JobID)
    /// The idempotency key came with another body before.
    case idempotencyMismatch(JobID)
    /// The batch named does not exist.
    case noSuchBatch
    /// The job lacks what its queue requires.
    case refused(QueueRefusal)

    /// The job's id if there is one that answers for this `NewJob`.
    package var id: JobID? {
        switch self {
        case .created(let id), .existing(let id): id
        case .customIDTaken, .idempotencyMismatch, .noSuchBatch, .refused: nil
        }
    }
}

/// What would become of a `NewJob`, without enqueueing it.
package enum EnqueuePreview: Hashable, Sendable {
    /// A call, and what it is expected to use, estimated from the job's own size.
    case new(CallEstimate)
    case cached(saves: Money)
    case existing(JobID)
    case conflict(JobID)
    case refused(QueueRefusal)
}

/// What a call is expected to use: its own bytes, by what the answers of its route taught.
package struct CallEstimate: Hashable, Sendable {
    package var inputTokens: Int64
    /// The route's mean, at most the call's own `max_tokens`; all of these if no answer has come yet.
    package var outputTokens: Int64

    package init(inputTokens: Int64, outputTokens: Int64) {
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
    }

    /// Without a `profile`, that of a route that was never called.
    package init(requestBytes: Int, maxTokens: Int, profile: RouteProfile = RouteProfile()) {
        let input = (Double(requestBytes) * profile.inputPerByte).rounded(.up)
        let output =
            profile.answers > 0 ? min(profile.output.rounded(.up), Double(maxTokens)) : Double(maxTokens)
        self.init(
            inputTokens: Int64(exactly: input) ?? Int64(requestBytes),
            outputTokens: Int64(exactly: output) ?? Int64(maxTokens))
    }
}
