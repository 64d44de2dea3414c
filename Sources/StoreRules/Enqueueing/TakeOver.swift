package import Jobs

// A client comes back for a job that it enqueued before, and waits for it.
extension JobRecord {
    /// Whether it is tried again first: it failed in a way that may pass, or was cancelled before its first call.
    ///
    /// `error` is the job's last.
    package func isRetriedForItsClient(_ error: @autoclosure () throws -> JobError?) rethrows -> Bool {
        switch state {
        case .cancelled: attempt == 0
        case .failed: try error()?.retryable == true
        case .queued, .running, .succeeded, .review: false
        }
    }

    /// Whether the worker that serves the client takes it into its own lane.
    ///
    /// A job that was asked for at half the price, or together with others, stays where it is.
    package func canBeTakenOver(
        by worker: WorkerID, isGone: (Int64) throws -> Bool
    ) rethrows -> Bool {
        guard state == .queued else { return false }
        switch place.kind {
        case .common: return place.batch == nil
        case .interactive:
            guard let owner = place.owner, owner != worker.value else { return false }
            return try isGone(owner)
        case .halfPrice: return false
        }
    }
}

extension Delta {
    package mutating func takeOver(_ job: JobRecord, by worker: WorkerID, _ laneBudget: LaneBudget) {
        move(job, state: job.state, laneBudget) { place in
            (place.kind, place.owner) = (.interactive, worker.value)
        }
    }
}
