/// A worker as it presents itself.
package struct NewWorker: Sendable {
    /// `host:pid`, or a container's name.
    package var name: String
    package var host: String
    package var processID: Int32
    package var slots: Int
    /// Whose jobs it does.
    package var partition: Partition
    /// What it can call; nil if it does not say, and is then believed to call everything.
    package var services: [ServiceKey]?
    /// Which key it has for a service, without telling the key; a service that is missing here has none.
    package var fingerprints: [ServiceKey: String] = [:]

    package init(
        name: String, host: String, processID: Int32, slots: Int, partition: Partition = .common,
        services: [ServiceKey]? = nil
    ) {
        self.partition = partition
        self.name = name
        self.host = host
        self.processID = processID
        self.slots = slots
        self.services = services
    }
}

/// Whose jobs a worker claims.
package enum Partition: Hashable, Sendable {
    /// Those that are anybody's.
    case common
    /// Those that callers wait for in this very process.
    case interactive

    /// So many interactive jobs are claimed for each one of the common lanes.
    ///
    /// Callers that wait on an open connection go before the backlog, and the backlog still moves.
    package static let precedence = 10
}

/// What a worker asks for.
package struct ClaimRequest: Sendable {
    package var worker: WorkerID
    package var partition: Partition
    /// Free slots: no more attempts than these are opened.
    package var slots: Int
    /// Attempts that are open in this worker.
    package var running: Int
    /// Whether to look without any lock first; needless if there is something to claim, as far as the worker knows.
    package var looksFirst: Bool
    package var lease: Milliseconds
    /// Jobs of other services stay where they are.
    package var services: [ServiceKey]

    package init(
        worker: WorkerID, partition: Partition = .common, slots: Int, running: Int, looksFirst: Bool = true,
        lease: Milliseconds, services: [ServiceKey]
    ) {
        self.worker = worker
        self.partition = partition
        self.slots = slots
        self.running = running
        self.looksFirst = looksFirst
        self.lease = lease
        self.services = services
    }
}

/// What a worker gets.
package struct Claim: Sendable {
    package var attempts: [ClaimedAttempt]
    /// How many jobs were settled from the cache, at no cost.
    package var settledFromCache: Int
    /// A job that must run alone waits for this worker: finish what runs, then claim again with nothing running.
    package var drainFirst: Bool
    /// Bounded work was cut short: claim again at once if slots are free.
    package var more: Bool
    /// How long until a closed gate opens or a held job is due, at the soonest; nil if nothing is in sight.
    package var wakeAfter: Milliseconds?

    package init(
        attempts: [ClaimedAttempt] = [], settledFromCache: Int = 0, drainFirst: Bool = false,
        more: Bool = false,
        wakeAfter: Milliseconds? = nil
    ) {
        self.attempts = attempts
        self.settledFromCache = settledFromCache
        self.drainFirst = drainFirst
        self.more = more
        self.wakeAfter = wakeAfter
    }
}

/// What became of jobs that were enqueued interactively.
package struct EnqueueAndClaimResult: Sendable {
    /// One for each job, in order.
    package var outcomes: [EnqueueOutcome]
    /// The states of those that have an id.
    package var states: [JobID: JobState]
    /// What could be claimed at once, of these and of those that waited before.
    package var claim: Claim

    package init(outcomes: [EnqueueOutcome], states: [JobID: JobState], claim: Claim) {
        self.outcomes = outcomes
        self.states = states
        self.claim = claim
    }
}

/// How an attempt ends.
package struct Settlement: Sendable {
    package var key: AttemptKey
    package var verdict: Verdict
    package var routeEvent: RouteEvent
    /// With `succeeded`.
    package var answer: Answer?
    /// What was billed, also if the call failed.
    package var usage: Usage?
    /// Whether the provider may have billed a call whose usage is not known.
    package var unconfirmedCost: Bool
    package var requestID: String?
    package var limits: LimitReport?
    /// From the claim to the first byte sent, and from there to the end; for latency figures.
    package var callMilliseconds: Milliseconds

    package init(
        key: AttemptKey, verdict: Verdict, routeEvent: RouteEvent, answer: Answer? = nil, usage: Usage? = nil,
        unconfirmedCost: Bool = false, requestID: String? = nil, limits: LimitReport? = nil,
        callMilliseconds: Milliseconds = 0
    ) {
        self.key = key
        self.verdict = verdict
        self.routeEvent = routeEvent
        self.answer = answer
        self.usage = usage
        self.unconfirmedCost = unconfirmedCost
        self.requestID = requestID
        self.limits = limits
        self.callMilliseconds = callMilliseconds
    }
}

/// What a settlement did.
package enum SettleOutcome: Hashable, Sendable {
    /// The job is now in this state.
    case settled(JobState)
    /// The lease was lost before: the job is another's; the answer and the money were kept all the same.
    case late
    /// The attempt was closed before by this or an equal settlement; nothing changed.
    case repeated
}

/// What one run of the reaper did.
package struct Reaping: Hashable, Sendable {
    package var writtenOff: Int
    package var expiredDeadlines: Int
    package var more: Bool

    package init(writtenOff: Int = 0, expiredDeadlines: Int = 0, more: Bool = false) {
        self.writtenOff = writtenOff
        self.expiredDeadlines = expiredDeadlines
        self.more = more
    }
}

/// What one run of pruning deleted.
package struct Pruning: Hashable, Sendable {
    package var jobs: Int
    package var answers: Int
    package var more: Bool

    package init(jobs: Int = 0, answers: Int = 0, more: Bool = false) {
        self.jobs = jobs
        self.answers = answers
        self.more = more
    }
}

/// What became of a cancel or a retry.
package enum ChangeOutcome: Hashable, Sendable {
    case changed
    /// It makes no sense in this state.
    case refused(JobState)
    case unknown
}

/// What one portion of a change by filter did.
package struct MassChange: Hashable, Sendable {
    package var count: Int
    /// The last job that was changed: the next portion begins after it.
    package var last: JobID?

    package init(count: Int, last: JobID?) {
        self.count = count
        self.last = last
    }
}

/// What a retry changes on its way.
///
/// With a change, jobs that are still queued are changed too, where they are.
package struct RetryChange: Hashable, Sendable {
    /// Another model, and the route that goes with it.
    package var route: RouteKey?
    /// What was asked for, if that is not the route's model.
    package var requestedModel: String?
    package var maxTokens: Int?

    package init(route: RouteKey? = nil, requestedModel: String? = nil, maxTokens: Int? = nil) {
        self.route = route
        self.requestedModel = requestedModel
        self.maxTokens = maxTokens
    }

    package var isEmpty: Bool { route == nil && maxTokens == nil }
}
