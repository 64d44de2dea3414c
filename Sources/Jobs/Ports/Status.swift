/// Jobs that wait at one gate, as a total.
package struct WaitingTotal: Hashable, Sendable {
    /// What the first of them waits for; its estimate is when the last of them is expected to run.
    package var waiting: WaitingFor
    package var jobs: Int

    package init(waiting: WaitingFor, jobs: Int) {
        self.waiting = waiting
        self.jobs = jobs
    }
}

/// Jobs of one queue that are held back on one route, after a run of identical refusals.
package struct HeldBack: Hashable, Sendable {
    package var route: String
    package var reason: String
    package var since: Timestamp

    package init(route: String, reason: String, since: Timestamp) {
        self.route = route
        self.reason = reason
        self.since = since
    }
}

/// A queue as people see it.
package struct QueueStatus: Sendable {
    package var name: String
    package var paused: Bool
    /// What of its jobs is held back though it is not paused.
    package var heldBack: [HeldBack] = []
    /// The most calls in flight at once, over all workers; nil for no limit.
    package var concurrency: Int?
    package var weight: Int
    package var counts: StateCounts
    /// What its queued jobs wait for, by gate; only `stats` fills it.
    package var waiting: [WaitingTotal] = []
    /// What answers of its jobs must be, if a job itself says nothing: the check's JSON.
    package var check: [UInt8]?
    /// What every job that comes in must have.
    package var requirement = QueueRequirement()

    package init(
        name: String, paused: Bool, concurrency: Int?, weight: Int, counts: StateCounts
    ) {
        self.name = name
        self.paused = paused
        self.concurrency = concurrency
        self.weight = weight
        self.counts = counts
    }
}

/// What to change of a queue; nil leaves as it is.
package struct QueuePatch: Hashable, Sendable {
    package var paused: Bool?
    /// `.some(nil)` takes the limit away.
    package var concurrency: Int??
    package var weight: Int?
    /// `.some(nil)` takes the check away; it counts for jobs that come afterwards.
    package var check: NewCheck??
    /// In the place of all that was required before; it counts for jobs that come afterwards.
    package var requirement: QueueRequirement?

    package init(
        paused: Bool? = nil, concurrency: Int?? = nil, weight: Int? = nil, check: NewCheck?? = nil,
        requirement: QueueRequirement? = nil
    ) {
        self.paused = paused
        self.concurrency = concurrency
        self.weight = weight
        self.check = check
        self.requirement = requirement
    }
}

/// A route as people see it.
package struct RouteStatus: Sendable {
    package struct Level: Hashable, Sendable {
        package var perMinute: Int
        /// What may be used now; below zero after a debt.
        package var available: Int

        package init(perMinute: Int, available: Int) {
            self.perMinute = perMinute
            self.available = available
        }
    }

    package var name: String
    package var endpoint: String
    package var simulated: Bool
    package var paused: Bool
    /// Open, or why not and until when.
    package var gate: WaitingFor?
    package var requests: Level?
    package var inputTokens: Level?
    package var outputTokens: Level?
    package var running: Int
    /// Jobs that are out with the provider's own batches; no calls in flight.
    package var inBatches = 0
    package var succeeded: Int
    /// Nil if there was no answer lately.
    package var latency: RouteLatency?
    /// What holds back its ready jobs, and their gates as a total; `update` does not fill them.
    package var bottleneck: Bottleneck?
    package var waiting: [WaitingTotal] = []

    package init(
        name: String, endpoint: String, simulated: Bool, paused: Bool, gate: WaitingFor?, requests: Level?,
        inputTokens: Level?, outputTokens: Level?, running: Int, succeeded: Int
    ) {
        self.name = name
        self.endpoint = endpoint
        self.simulated = simulated
        self.paused = paused
        self.gate = gate
        self.requests = requests
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.running = running
        self.succeeded = succeeded
    }
}

/// A worker as the others see it.
package struct WorkerStatus: Sendable {
    package var name: String
    package var slots: Int
    package var running: Int
    package var startedAt: Timestamp
    package var seenAt: Timestamp
    /// Whether it was heard of within the last 30 seconds of the boot clock.
    package var alive: Bool
    /// How far its own calendar is ahead of the one agreed on; 0 if they agree.
    package var disagreement: Milliseconds = 0
    /// Whether it claims nothing, as another configuration is in force than it has.
    package var isSuperseded = false
    /// Its keys that a provider refuses, each with the cure.
    package var refusedKeys: [String] = []

    package init(name: String, slots: Int, running: Int, startedAt: Timestamp, seenAt: Timestamp, alive: Bool)
    {
        self.name = name
        self.slots = slots
        self.running = running
        self.startedAt = startedAt
        self.seenAt = seenAt
        self.alive = alive
    }
}

/// What was spent on one UTC day.
package struct Spend: Sendable {
    package var day: String
    package var calls: Int
    package var cost: Money
    package var saved: Money
    /// What calls may have cost whose answers never came; below zero if more of earlier days was cleared up.
    package var unconfirmedCost: Money
    /// Jobs answered without a call of their own.
    package var cacheHits: Int
    package var usage: Usage

    package init(
        day: String, calls: Int, cost: Money, saved: Money, cacheHits: Int, usage: Usage,
        unconfirmedCost: Money = .zero
    ) {
        self.unconfirmedCost = unconfirmedCost
        self.day = day
        self.calls = calls
        self.cost = cost
        self.saved = saved
        self.cacheHits = cacheHits
        self.usage = usage
    }
}

/// Calendars that disagree: until one is believed, nothing is deleted or ended for its date's sake.
package struct CalendarDispute: Hashable, Sendable {
    /// How far the other calendar is ahead of the one that counts.
    package var offset: Milliseconds
    /// For how long no process has contradicted it.
    package var age: Milliseconds

    package init(offset: Milliseconds, age: Milliseconds) {
        self.offset = offset
        self.age = age
    }
}

/// The state of the whole.
package struct Stats: Sendable {
    package var counts: StateCounts
    package var queues: [QueueStatus]
    package var routes: [RouteStatus]
    package var workers: [WorkerStatus]
    /// Newest first, at most 31 days.
    package var spend: [Spend]
    package var budgets: [BudgetStatus]
    package var answers: Int
    /// When the oldest queued job that could run was made.
    package var oldestReady: Timestamp?
    package var calendar: CalendarDispute?

    package init(
        counts: StateCounts, queues: [QueueStatus], routes: [RouteStatus], workers: [WorkerStatus],
        spend: [Spend],
        answers: Int, oldestReady: Timestamp?, budgets: [BudgetStatus] = []
    ) {
        self.budgets = budgets
        self.counts = counts
        self.queues = queues
        self.routes = routes
        self.workers = workers
        self.spend = spend
        self.answers = answers
        self.oldestReady = oldestReady
    }
}

/// What `health` and `doctor` tell of the store.
package struct StoreFacts: Sendable {
    package var engine: String
    package var version: String
    package var schemaVersion: Int
    /// A known danger of this engine's version, or of how it is set up, and what renga does about it; nil if there is none.
    package var exposure: String?
    package var databaseBytes: Int64
    /// Pages in the write-ahead log after this process's last commit; nil if the engine keeps its log to itself.
    package var logPages: Int?
    /// What operators should do something about, a sentence each.
    package var cautions: [String] = []
    /// Nil if none is configured.
    package var replica: ReplicaFacts?

    package init(
        engine: String, version: String, schemaVersion: Int, exposure: String?, databaseBytes: Int64,
        logPages: Int? = nil
    ) {
        self.engine = engine
        self.version = version
        self.schemaVersion = schemaVersion
        self.exposure = exposure
        self.databaseBytes = databaseBytes
        self.logPages = logPages
    }
}
