import Jobs

// One call writes a prefix into the provider's cache, and those that share it follow once it is there.
extension Delta {
    /// What is left of an entry's life when it no longer counts: a call takes its time to arrive.
    private static let margin: Milliseconds = 10_000

    /// An answer of this attempt has come, and with it the entry was written or used; or the call came to nothing.
    mutating func closePrefix(
        of attempt: AttemptRecord, _ job: JobRecord, wasWriter: Bool, answered: Bool, now: Moment
    ) {
        guard let prefix = job.prefix, attempt.route == attempt.home else { return }
        if answered {
            let until = now + (prefix.lifetime - Self.margin)
            add(.prefix(prefix.hash, route: attempt.route, .warm(until: until)))
            // Another call may be writing it by now: who waits for that one need not.
            add(.release(Release(.all(skippingCoalescing: false), prefix.hash, route: attempt.home)))
        } else if wasWriter {
            add(.prefix(prefix.hash, route: attempt.route, .gone))
            add(.release(Release(.first, prefix.hash, route: attempt.home)))
        }
    }
}
