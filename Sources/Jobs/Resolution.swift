/// What a verdict makes of its job, once it is known how the job and its route stand.
package enum Resolution: Hashable, Sendable {
    case succeeded
    case ready
    case held(until: Timestamp, JobError)
    case failed(JobError)
    /// The answer failed its check: another call, a person, or the job's end.
    case rejected(CheckFailure)
}

/// A resolution, and whether the attempt counts.
package struct ResolvedVerdict: Hashable, Sendable {
    package var resolution: Resolution
    package var counted: Bool
    /// The word for it in the attempt's history.
    package var word: String

    package init(resolution: Resolution, counted: Bool, word: String) {
        self.resolution = resolution
        self.counted = counted
        self.word = word
    }
}

/// A job that met 403 on a route suspected of it comes back after so long.
private let forbiddenPause: Milliseconds = 30_000
/// A job whose refusal reads like the spend cap comes back after so long: whether it is the cap, another job shows.
private let suspectedPause: Milliseconds = 5_000
/// So often it may read like that while others succeed: those may have been sent before a cap that is real.
private let suspectedCaps = 3

extension Verdict {
    /// What becomes of the job.
    ///
    /// `attemptsCounted` is the count before this attempt; `othersSucceeded` says that another job succeeded on the
    /// route since this attempt's claim; `forbiddenIsKnown`, that the route is paused for 403s, so that this one is
    /// not the job's affair.
    package func resolve(
        attemptsCounted: Int, maxAttempts: Int, othersSucceeded: Bool, forbiddenIsKnown: Bool = false,
        failures: Int = 0, now: Timestamp
    ) -> ResolvedVerdict {
        switch self {
        case .succeeded:
            return ResolvedVerdict(resolution: .succeeded, counted: true, word: "succeeded")
        case .handedBack:
            return ResolvedVerdict(resolution: .ready, counted: false, word: "handed_back")
        case .rejected(let failure):
            // Its list bounds how often a check asks for another call, so those do not count.
            return ResolvedVerdict(
                resolution: .rejected(failure), counted: failure.step.endsTheJob,
                word: failure.step == .fail ? "failed" : failure.step.word)
        case .failed(let error) where error.meantStatus == 403 && forbiddenIsKnown:
            // Not at the head of the line again: the next probe should be another job's.
            return ResolvedVerdict(
                resolution: .held(until: now + forbiddenPause, error), counted: false, word: "waited")
        case .failed(let error):
            return ResolvedVerdict(resolution: .failed(error), counted: true, word: "failed")
        case .wait(var error) where error.meantStatus == 400:
            guard failures >= suspectedCaps, othersSucceeded else {
                return ResolvedVerdict(
                    resolution: .held(until: now + suspectedPause, error), counted: false, word: "waited")
            }
            error.retryable = false
            return ResolvedVerdict(resolution: .failed(error), counted: true, word: "failed")
        case .wait:
            return ResolvedVerdict(resolution: .ready, counted: false, word: "waited")
        case .again(let delay, let error, let blame):
            let counted = blame == .counted || (blame == .ifOthersSucceeded && othersSucceeded)
            if counted, attemptsCounted + 1 >= maxAttempts {
                var error = error
                error.message =
                    "gave up after \(maxAttempts) counted attempts; the last one: \(error.message)"
                return ResolvedVerdict(resolution: .failed(error), counted: true, word: "failed")
            }
            return ResolvedVerdict(
                resolution: .held(until: now + delay, error), counted: counted, word: "again")
        }
    }
}
