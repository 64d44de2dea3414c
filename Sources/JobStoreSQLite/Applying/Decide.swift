import Jobs
import StoreRules

extension WriteContext {
    /// Decides and writes in one.
    func apply(_ decide: (inout Delta) throws -> Void) throws {
        var delta = Delta()
        try decide(&delta)
        try apply(delta)
    }

    /// Ends a job without an answer, in whatever state it is.
    func end(_ job: JobRecord, _ state: JobState, _ error: JobError?) throws {
        try apply { $0.end(job.identity, from: job.state, state, error) }
    }
}
