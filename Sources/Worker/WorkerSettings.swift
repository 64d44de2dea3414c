package import Jobs

/// How a worker presents itself and how it works; durations in milliseconds.
package struct WorkerSettings: Sendable {
    /// `host:pid`, or a container's name.
    package var name: String
    package var host: String
    package var processID: Int32
    /// Calls in flight at once.
    package var slots: Int
    /// Whose jobs it does: anybody's, or those that callers wait for in this process.
    package var partition = Partition.common
    /// How long an attempt stays this worker's without a renewal; renewed at a third of it.
    package var lease: Milliseconds
    /// How long calls in flight may take to finish once the worker was told to stop.
    package var grace: Milliseconds
    package var retry: RetryPolicy
    /// Finished jobs older than this are deleted; nil keeps them for ever.
    package var retention: Milliseconds?
    /// What the tokens of a route cost if this model answered a call that was opened then: so that unknown prices are
    /// logged and callers who wait are told.
    package var price: @Sendable (RouteKey, String, Timestamp) -> Price?

    package init(
        name: String, host: String, processID: Int32, slots: Int = 40, lease: Milliseconds = 30_000,
        grace: Milliseconds = 30_000, retry: RetryPolicy = RetryPolicy(),
        retention: Milliseconds? = 30 * 86_400_000,
        price: @escaping @Sendable (RouteKey, String, Timestamp) -> Price? = {
            PriceTable.standard.price(of: $0, answeredBy: $1, at: $2)
        }
    ) {
        precondition(slots > 0 && lease > 0 && grace >= 0, "a worker needs slots, a lease and a grace period")
        self.name = name
        self.host = host
        self.processID = processID
        self.slots = slots
        self.lease = lease
        self.grace = grace
        self.retry = retry
        self.retention = retention
        self.price = price
    }
}

/// The rhythm of a worker's duties, in milliseconds.
enum Intervals {
    /// Claims are at least this far apart, so that a burst of events costs one.
    static let betweenClaims: Milliseconds = 1
    /// The net under the events: a lost one costs at most this.
    static let poll: Milliseconds = 5000
    /// An idle worker says this often that it lives; others believe it dead after 30 s.
    static let heartbeat: Milliseconds = 10_000
    /// A cancelled job's call runs on for at most about this.
    static let betweenRevocationChecks: Milliseconds = 200
    static let reap: Milliseconds = 1000
    static let prune: Milliseconds = 60_000
    /// Looks at what there is to do with the provider's batches.
    static let maintain: Milliseconds = 1000
}
