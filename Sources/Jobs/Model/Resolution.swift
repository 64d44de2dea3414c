/// What a verdict makes of its job, once it is known the state of the job and its route.
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

/// The state of a job and its route when one of its attempts ends.
package struct Standing: Hashable, Sendable {
    /// Counted attempts before this one.
    package var attemptsCounted: Int
    package var maxAttempts: Int
    /// Failed attempts in a row before this one, counted or not.
    package var failures: Int
    /// Those of them that were not counted though they may have been paid for.
    package var forgiven: Int
    /// Whether another job succeeded on the route since this one first failed there, or since its last failure that counted.
    package var othersSucceeded: Bool
    /// Whether this attempt may have been paid for.
    package var mayBePaid: Bool
    /// The refusal reads like a spend cap, and this is not confirmed.
    package var suspectsCap: Bool
    /// The route is paused for 403s, so that this one does not concern the job.
    package var forbiddenIsKnown: Bool

    package init(
        attemptsCounted: Int = 0, maxAttempts: Int, failures: Int = 0, forgiven: Int = 0,
        othersSucceeded: Bool = false, mayBePaid: Bool = false, suspectsCap: Bool = false,
        forbiddenIsKnown: Bool = false
    ) {
        self.attemptsCounted = attemptsCounted
        self.maxAttempts = maxAttempts
        self.failures = failures
        self.forgiven = forgiven
        self.othersSucceeded = othersSucceeded
        self.mayBePaid = mayBePaid
        self.suspectsCap = suspectsCap
        self.forbiddenIsKnown = forbiddenIsKnown
    }

    /// So many failures that may have been paid for do not count against the job though nothing else runs.
    ///
    /// The next one counts: a job is paid for at most `max_attempts` times and so many more.
    package static let mostForgiven = 2
    /// A job that failed so often in a row fails for good, whatever it was: no job lives for ever.
    package static let mostFailures = 10_000

    /// Whether a failure counts towards `max_attempts`.
    func counts(_ blame: Verdict.Blame) -> Bool {
        switch blame {
        case .counted: true
        case .ifOthersSucceeded: othersSucceeded || isPaidTooOften
        case .never: isPaidTooOften
        }
    }

    private var isPaidTooOften: Bool { mayBePaid && forgiven >= Self.mostForgiven }
}

extension Verdict {
    /// What becomes of the job.
    package func resolve(_ standing: Standing, now: Timestamp) -> ResolvedVerdict {
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
        case .failed(let error) where error.meantStatus == 403 && standing.forbiddenIsKnown:
            // Not at the head of the line again: the next probe should be another job's.
            return ResolvedVerdict(
                resolution: .held(until: now + forbiddenPause, error), counted: false, word: "waited")
        case .failed(let error):
            return ResolvedVerdict(resolution: .failed(error), counted: true, word: "failed")
        case .wait(let error) where standing.suspectsCap:
            return Self.suspect(error, standing, now: now)
        case .wait:
            return ResolvedVerdict(resolution: .ready, counted: false, word: "waited")
        case .again(let delay, let error, let blame):
            return Self.again(after: delay, error, counted: standing.counts(blame), standing, now: now)
        }
    }

    private static func suspect(_ error: JobError, _ standing: Standing, now: Timestamp) -> ResolvedVerdict {
        guard standing.failures >= suspectedCaps, standing.othersSucceeded else {
            return ResolvedVerdict(
                resolution: .held(until: now + suspectedPause, error), counted: false, word: "waited")
        }
        var error = error
        error.retryable = false
        return ResolvedVerdict(resolution: .failed(error), counted: true, word: "failed")
    }

    private static func again(
        after delay: Milliseconds, _ error: JobError, counted: Bool, _ standing: Standing, now: Timestamp
    ) -> ResolvedVerdict {
        let failures = standing.failures + 1
        let isOver = counted && standing.attemptsCounted + 1 >= standing.maxAttempts
        guard isOver || failures >= Standing.mostFailures else {
            return ResolvedVerdict(
                resolution: .held(until: now + delay, error), counted: counted, word: "again")
        }
        var error = error
        let attempts =
            isOver ? "\(standing.maxAttempts) counted attempts" : "\(failures) attempts in a row that failed"
        error.message = "gave up after \(attempts); the last one: \(error.message)"
        return ResolvedVerdict(resolution: .failed(error), counted: true, word: "failed")
    }
}
