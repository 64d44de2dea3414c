package import Jobs

/// Which workers count as living.
package enum WorkerLiveness {
    /// A worker not heard of for so long does not count.
    package static let patience: Milliseconds = 30_000

    package static func isAlive(seenAt seen: Moment, now: Moment) -> Bool {
        !(seen + patience).hasPassed(at: now)
    }
}
