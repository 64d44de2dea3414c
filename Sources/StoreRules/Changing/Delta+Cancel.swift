package import Jobs

extension Delta {
    /// A running job is cancelled at once: its worker finds the attempt revoked, aborts the call and settles the money.
    package mutating func cancel(_ job: JobRecord?, onlyIfQueued: Bool = false) -> ChangeOutcome {
        guard let job else { return .unknown }
        guard onlyIfQueued ? job.state == .queued : !job.state.isTerminal else {
            return .refused(job.state)
        }
        end(job.identity, from: job.state, .cancelled, nil)
        return .changed
    }
}
