/// The state of a job.
///
/// The store distinguishes two kinds of *queued*: ready and held.
package enum JobState: String, Sendable, CaseIterable {
    case queued, running, succeeded, failed, cancelled, review

    package var isTerminal: Bool {
        switch self {
        case .succeeded, .failed, .cancelled: true
        case .queued, .running, .review: false
        }
    }
}

extension JobState {
    /// Whether nothing more comes by itself: a job in review waits for a person, which may take days.
    package var isAtRest: Bool { isTerminal || self == .review }
}

/// One Messages request with its state and its result: a job as people see it.
package struct Job: Sendable {
    package var id: JobID
    package var customID: String?
    package var queue: String
    package var state: JobState
    package var priority: Int
    package var tags: [String]
    /// The caller's JSON, verbatim.
    package var metadata: [UInt8]?
    package var batch: BatchID?
    package var createdAt: Timestamp
    package var runAt: Timestamp
    package var startedAt: Timestamp?
    package var finishedAt: Timestamp?
    package var deadline: Timestamp?
    /// The number of the newest attempt; 0 before the first.
    package var attempt: Int
    /// How many attempts count towards `maxAttempts`.
    package var attemptsCounted: Int
    package var maxAttempts: Int
    package var cache: CacheMode
    package var lease: Lease?
    package var waitingFor: WaitingFor?
    /// The request, verbatim; nil if it was not asked for.
    package var request: [UInt8]?
    /// The provider's answer, verbatim; nil if there is none or it was not asked for.
    package var response: [UInt8]?
    package var error: JobError?
    package var usage: Usage?
    package var cost: Money
    package var saved: Money
    /// Whether the answer came from the cache or from another job's call.
    package var cached: Bool
    /// The job whose call gave the answer, if that is another one.
    package var sourceJob: JobID?
    /// The model that answered; before that the model asked for.
    package var model: String
    /// `provider/model` of the route that answered; before that, of the job's own.
    package var route = ""
    /// What the job named: an alias, or the exact model.
    package var requestedModel: String
    package var simulated: Bool
    /// What its answer must be, and whether it was; nil if nothing was asked.
    package var check: JobCheck?

    /// A running job's lease.
    package struct Lease: Hashable, Sendable {
        package var worker: String
        package var until: Timestamp

        package init(worker: String, until: Timestamp) {
            self.worker = worker
            self.until = until
        }
    }

    /// Whether it waits in the half-price lane, or is out with a batch of its provider.
    package var isHalfPrice = false

    package init(
        id: JobID, customID: String?, queue: String, state: JobState, priority: Int, tags: [String],
        metadata: [UInt8]?,
        batch: BatchID?, createdAt: Timestamp, runAt: Timestamp, startedAt: Timestamp?,
        finishedAt: Timestamp?,
        deadline: Timestamp?, attempt: Int, attemptsCounted: Int, maxAttempts: Int, cache: CacheMode,
        lease: Lease?,
        waitingFor: WaitingFor?, request: [UInt8]?, response: [UInt8]?, error: JobError?, usage: Usage?,
        cost: Money,
        saved: Money, cached: Bool, sourceJob: JobID?, model: String, requestedModel: String? = nil,
        simulated: Bool
    ) {
        self.id = id
        self.customID = customID
        self.queue = queue
        self.state = state
        self.priority = priority
        self.tags = tags
        self.metadata = metadata
        self.batch = batch
        self.createdAt = createdAt
        self.runAt = runAt
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.deadline = deadline
        self.attempt = attempt
        self.attemptsCounted = attemptsCounted
        self.maxAttempts = maxAttempts
        self.cache = cache
        self.lease = lease
        self.waitingFor = waitingFor
        self.request = request
        self.response = response
        self.error = error
        self.usage = usage
        self.cost = cost
        self.saved = saved
        self.cached = cached
        self.sourceJob = sourceJob
        self.model = model
        self.requestedModel = requestedModel ?? model
        self.simulated = simulated
    }
}

/// Why a job failed, in words that its owner can act on.
package struct JobError: Hashable, Sendable, Error {
    /// A provider's error type (`invalid_request_error`) or one of renga's (`deadline_exceeded`, `worker_lost`).
    package var type: String
    package var message: String
    /// The HTTP status of the provider's answer, if there was one.
    package var status: Int?
    /// The provider's `request-id`.
    package var requestID: String?
    /// Whether trying again without a change could help.
    package var retryable: Bool

    package init(type: String, message: String, status: Int? = nil, requestID: String? = nil, retryable: Bool)
    {
        self.type = type
        self.message = message
        self.status = status
        self.requestID = requestID
        self.retryable = retryable
    }
}

/// What a queued job waits for.
package struct WaitingFor: Hashable, Sendable {
    package enum Reason: String, Sendable {
        case worker, schedule, retry, budget, breaker, pause, concurrency, batch
        case rateLimit = "rate_limit"
        case providerSpendLimit = "provider_spend_limit"
        case identicalPrompt = "identical_prompt"
    }

    package var reason: Reason
    package var detail: String
    /// When the gate is expected to open, if that is known.
    package var until: Timestamp?
    /// When the job is expected to run, from its place in line and the rate of the bottleneck; nil if nothing tells.
    package var estimatedAt: Timestamp?

    package init(reason: Reason, detail: String, until: Timestamp? = nil, estimatedAt: Timestamp? = nil) {
        self.reason = reason
        self.detail = detail
        self.until = until
        self.estimatedAt = estimatedAt
    }
}
