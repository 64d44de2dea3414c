/// Which jobs; what is nil does not narrow.
package struct JobFilter: Hashable, Sendable {
    package var state: JobState?
    package var queue: String?
    package var batch: BatchID?
    package var customID: String?
    package var tag: String?
    package var model: String?
    package var errorType: String?
    package var createdAfter: Timestamp?
    package var createdBefore: Timestamp?
    /// Leaves out the jobs of message batches: what ended in one is published, and no retry changes it.
    package var isUnpublished = false

    package init(
        state: JobState? = nil, queue: String? = nil, batch: BatchID? = nil, customID: String? = nil,
        tag: String? = nil,
        model: String? = nil, errorType: String? = nil, createdAfter: Timestamp? = nil,
        createdBefore: Timestamp? = nil
    ) {
        self.state = state
        self.queue = queue
        self.batch = batch
        self.customID = customID
        self.tag = tag
        self.model = model
        self.errorType = errorType
        self.createdAfter = createdAfter
        self.createdBefore = createdBefore
    }
}

/// Which bodies a list carries.
package struct Bodies: OptionSet, Hashable, Sendable {
    package let rawValue: Int

    package init(rawValue: Int) {
        self.rawValue = rawValue
    }

    package static let request = Bodies(rawValue: 1)
    package static let response = Bodies(rawValue: 2)
}

/// Which finished jobs, and in what order they come.
package struct ResultsQuery: Hashable, Sendable {
    package enum Source: Hashable, Sendable {
        case all
        case batch(BatchID)
        case queue(String)
    }

    package var source: Source
    /// In the order of the batch's input; else in the order of finishing.
    ///
    /// Input order needs a batch.
    package var inputOrder: Bool
    package var bodies: Bodies

    package init(source: Source, inputOrder: Bool = false, bodies: Bodies = .response) {
        self.source = source
        self.inputOrder = inputOrder
        self.bodies = bodies
    }
}

/// A finished job and its place: `after: cursor` continues behind it.
package struct FinishedJob: Sendable {
    package var cursor: Int64
    package var job: Job

    package init(cursor: Int64, job: Job) {
        self.cursor = cursor
        self.job = job
    }
}

/// How many jobs are where.
package struct StateCounts: Hashable, Sendable {
    package var queued = 0
    package var running = 0
    package var succeeded = 0
    package var failed = 0
    package var cancelled = 0
    package var review = 0

    package init() {}

    package var total: Int { queued + running + succeeded + failed + cancelled + review }
    package var finished: Int { succeeded + failed + cancelled }

    package subscript(_ state: JobState) -> Int {
        get {
            switch state {
            case .queued: queued
            case .running: running
            case .succeeded: succeeded
            case .failed: failed
            case .cancelled: cancelled
            case .review: review
            }
        }
        set {
            switch state {
            case .queued: queued = newValue
            case .running: running = newValue
            case .succeeded: succeeded = newValue
            case .failed: failed = newValue
            case .cancelled: cancelled = newValue
            case .review: review = newValue
            }
        }
    }
}

/// A named group of jobs.
package struct Batch: Sendable {
    package var id: BatchID
    package var name: String
    package var metadata: [UInt8]?
    package var createdAt: Timestamp
    package var counts: StateCounts
    package var cost: Money
    package var saved: Money
    /// Calls made, jobs answered without one, and what calls may have cost whose answers never came.
    package var calls: Int
    package var cacheHits: Int
    package var unconfirmedCost: Money

    package init(
        id: BatchID, name: String, metadata: [UInt8]?, createdAt: Timestamp, counts: StateCounts, cost: Money,
        saved: Money, calls: Int = 0, cacheHits: Int = 0, unconfirmedCost: Money = .zero
    ) {
        self.id = id
        self.name = name
        self.metadata = metadata
        self.createdAt = createdAt
        self.counts = counts
        self.cost = cost
        self.saved = saved
        self.calls = calls
        self.cacheHits = cacheHits
        self.unconfirmedCost = unconfirmedCost
    }
}
