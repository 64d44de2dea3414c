/// What an outcome means for its job.
package enum Verdict: Hashable, Sendable {
    case succeeded
    /// Again after a delay. Counted as the blame says.
    case again(after: Milliseconds, JobError, Blame)
    /// Back in line at once, without blame: a gate of the route holds it.
    case wait(JobError)
    case failed(JobError)
    /// An answer came and failed its check; it is paid for, and no other job may have it.
    case rejected(CheckFailure)
    /// Given back by a worker that stops; no blame. `sent` says whether the provider may have got the call.
    case handedBack(sent: Bool)

    /// Whether an attempt counts towards `max_attempts`.
    package enum Blame: Hashable, Sendable {
        case counted
        /// Not counted, unless it may have been paid for once too often.
        case never
        /// Counted only if some other job succeeded on the route since this one first failed there: an outage is not
        /// the job's fault.
        case ifOthersSucceeded
    }
}

/// What an outcome says of its route, whatever becomes of the job.
package enum RouteEvent: Hashable, Sendable {
    case succeeded
    case rateLimited(retryAfter: Milliseconds?)
    case overloaded(retryAfter: Milliseconds?)
    /// 5xx, timeouts and broken connections.
    case unavailable
    case unauthorized
    /// One 403 concerns the job; the route pauses only when a probe gets one too.
    case forbidden
    /// A spend cap, with the date it names. Suspected only (a 400 that reads like it) until a probe confirms it.
    case spendCapped(until: Timestamp?, suspected: Bool)
    /// The request itself was refused; the signature tells a run of identical errors.
    case refused(signature: String)
    case neutral
}

/// How often and how soon to try again.
package struct RetryPolicy: Hashable, Sendable {
    package var base: Milliseconds
    package var cap: Milliseconds

    package init(base: Milliseconds = 1000, cap: Milliseconds = 60_000) {
        self.base = base
        self.cap = cap
    }

    /// Full jitter: uniform in (0, min(cap, base·2ⁿ)), n = 1 for the first failure.
    ///
    /// Source: Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015.
    package func delay(failures: Int, using random: inout some RandomNumberGenerator) -> Milliseconds {
        let ceiling = min(
            Double(cap),
            Double(base) * Double(sign: .plus, exponent: min(max(failures, 1), 40), significand: 1))
        return Milliseconds.random(in: 1...max(1, Milliseconds(ceiling)), using: &random)
    }
}
