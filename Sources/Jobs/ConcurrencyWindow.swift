/// How many calls may be in flight where a provider names no limits: it grows with what succeeds, and is halved by what
/// is refused.
///
/// It doubles with every round of answers until the first refusal, and then grows by one call a round.
package struct ConcurrencyWindow: Hashable, Sendable {
    package private(set) var size: Double
    /// Above it growth is slow; nil before the first refusal.
    package private(set) var threshold: Double?
    /// What was claimed before the last cut says nothing new.
    package private(set) var cutAt: Moment?

    /// How many calls fly while nothing is known of a route's limits.
    package static let initial = 5.0
    /// How many fly once an answer has come that names no limits.
    package static let opened = 20.0

    package init(size: Double = Self.initial, threshold: Double? = nil, cutAt: Moment? = nil) {
        self.size = size
        self.threshold = threshold
        self.cutAt = cutAt
    }

    package var calls: Int { max(1, Int(size)) }

    /// `running` counts the call that succeeded: a window that is hardly used proves nothing by it.
    package mutating func grow(running: Int) {
        guard Double(running) * 2 >= size else { return }
        size += size < threshold ?? .infinity ? 1 : 1 / size
    }

    /// Once for each round of calls, however many of them were refused.
    package mutating func cut(running: Int, claimedAt: Moment, now: Moment) {
        if let cutAt, cutAt.boot == claimedAt.boot, claimedAt.milliseconds <= cutAt.milliseconds { return }
        size = max(1, min(size, Double(running)) / 2)
        threshold = size
        cutAt = now
    }
}
