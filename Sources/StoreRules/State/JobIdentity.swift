package import Jobs

/// Which job, and what others may wait for it under.
package struct JobIdentity: Sendable {
    package let id: Int64
    package let lane: Int64
    /// The route of its lane: followers of its call wait there.
    package let route: Int64
    package let batch: Int64?
    package let promptHash: [UInt8]
    package let prefix: CachePrefix?

    package init(
        id: Int64, lane: Int64, route: Int64, batch: Int64?, promptHash: [UInt8], prefix: CachePrefix?
    ) {
        self.id = id
        self.lane = lane
        self.route = route
        self.batch = batch
        self.promptHash = promptHash
        self.prefix = prefix
    }
}

extension JobRecord {
    package var identity: JobIdentity {
        JobIdentity(
            id: id, lane: lane, route: place.route, batch: batch, promptHash: promptHash, prefix: prefix)
    }
}
