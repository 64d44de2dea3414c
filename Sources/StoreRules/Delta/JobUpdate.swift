/// What a person's change, or its consequence, sets in a job.
package enum JobUpdate: Sendable {
    /// Queued and ready with fresh counts, runnable from now on.
    case reopen
    /// At the head of its route's chain, and one that shares identical calls.
    case restartChain
    /// It is ready if it waits for another call's answer; a time holds it on.
    case stopAwaiting
    case maxTokens(Int)
    /// What its client asked for; nil if that is its route's model.
    case requestedModel(String?)
    /// With all its steps, and with no result.
    case resetCheck
    /// A retry begins in the lane where the job is now.
    case beginCheckHere
}

/// The answer that counts after a review.
package enum ReviewedAnswer: Sendable {
    case stored(Int64)
    /// The person's own, with what the model's took; it is this job's alone.
    case edited([UInt8], of: Int64)
}
