package import Jobs

/// What is read to tell what becomes of a new job.
package protocol EnqueueReads {
    /// Nil if there is no such queue yet.
    func requirement(of queue: String) throws -> RequirementState?
    /// The job that came with this idempotency key.
    func job(_ idempotency: NewJob.Idempotency) throws -> KnownJob?
    /// The job of a queue that its caller calls so.
    func job(named customID: String, in queue: String) throws -> KnownJob?
    /// Nil if no job ever had it.
    func route(_ key: RouteKey) throws -> RouteState?
    func cachedAnswer(_ hash: [UInt8], route: Int64) throws -> CachedAnswer?
}

/// A job that is there already.
package struct KnownJob: Sendable {
    package let id: JobID
    /// Over all that its caller said of it.
    package let fingerprint: [UInt8]

    package init(id: JobID, fingerprint: [UInt8]) {
        self.id = id
        self.fingerprint = fingerprint
    }
}

/// What a queue requires.
package struct RequirementState: Sendable {
    package let requirement: QueueRequirement
    /// Whether the queue has a check of its own.
    package let hasCheck: Bool

    package init(_ requirement: QueueRequirement, hasCheck: Bool) {
        self.requirement = requirement
        self.hasCheck = hasCheck
    }
}
