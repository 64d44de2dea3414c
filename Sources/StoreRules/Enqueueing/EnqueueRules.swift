package import Jobs

/// Whether new jobs were taken in before, or are refused by their queues, each of which is looked up once.
package struct EnqueueRules<Reads: EnqueueReads> {
    let reads: Reads
    private var requirements: [String: RequirementState?] = [:]

    package init(_ reads: Reads) {
        self.reads = reads
    }

    /// Whether a job was taken in before, by its upload's idempotency key or by its own `custom_id`.
    package func repetition(of job: NewJob) throws -> EnqueueOutcome? {
        if let idempotency = job.idempotency, let known = try reads.job(idempotency) {
            return known.fingerprint == job.fingerprint
                ? .existing(known.id) : .idempotencyMismatch(known.id)
        }
        if let customID = job.customID, let known = try reads.job(named: customID, in: job.queue) {
            return known.fingerprint == job.fingerprint ? .existing(known.id) : .customIDTaken(by: known.id)
        }
        return nil
    }

    /// Why the job's queue does not take it; nil if it does.
    package mutating func refusal(of job: NewJob) throws -> QueueRefusal? {
        guard let state = try requirement(of: job.queue) else { return nil }
        return try state.requirement.lack(of: job, inQueueWithCheck: state.hasCheck)
            .map { QueueRefusal(queue: job.queue, lack: $0) }
    }

    private mutating func requirement(of queue: String) throws -> RequirementState? {
        if let known = requirements[queue] { return known }
        let found = try reads.requirement(of: queue)
        requirements[queue] = .some(found)
        return found
    }
}
