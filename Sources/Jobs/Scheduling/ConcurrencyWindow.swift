/// How many calls may be in flight if a provider names no limits: it grows with what succeeds, and a refusal takes half of
/// what was allowed.
///
/// It doubles with every round of answers until the first refusal, and then grows by one call a round. What a refusal took
/// comes back with time too: if a long call fills what is left, there are no answers to grow with.
package struct ConcurrencyWindow: Hashable, Sendable {
    package private(set) var size: Double
    /// What the last refusal left, above which growth is slow; nil before the first one.
    package private(set) var threshold: Double?
    /// What was claimed before the last cut says nothing new.
    package private(set) var cutAt: Moment?

    /// How many calls fly while nothing is known of a route's limits.
    package static let initial = 5.0
    /// How many fly once an answer has come that names no limits.
    package static let opened = 20.0
    /// In so long one call of what a refusal took comes back.
    package static let recovery: Milliseconds = 4000
    /// More calls than any worker makes.
    private static let most = 1_000_000.0

    /// What is no number, or no number of calls, is as good as nothing known.
    package init(size: Double = Self.initial, threshold: Double? = nil, cutAt: Moment? = nil) {
        self.size = size.isFinite ? max(1, min(size, Self.most)) : Self.initial
        self.threshold = threshold.flatMap { $0.isFinite ? max(1, min($0, Self.most)) : nil }
        self.cutAt = cutAt
    }

    package var calls: Int { max(1, Int(size)) }

    /// With what has come back by now.
    package func calls(at now: Moment) -> Int { max(1, Int(size(at: now))) }

    /// How long until the next call comes back; nil if only answers make room.
    package func wait(at now: Moment) -> Milliseconds? {
        guard let cutAt, let threshold, size(at: now) < threshold * 2 else { return nil }
        let elapsed = max(0, now.since(cutAt))
        return Self.recovery - elapsed % Self.recovery
    }

    private func size(at now: Moment) -> Double {
        guard let threshold, let cutAt else { return size }
        let elapsed = now.since(cutAt)
        // Of another epoch, or written wrongly: it is long past.
        let isPast = cutAt.epoch != now.epoch || elapsed < -TokenBucket.minute
        let recovered = isPast ? threshold * 2 : threshold + Double(max(0, elapsed) / Self.recovery)
        return max(size, min(threshold * 2, recovered))
    }

    /// `running` counts the call that succeeded: a window that is hardly used proves nothing by it.
    package mutating func grow(running: Int, now: Moment) {
        let allowed = size(at: now)
        guard Double(running) * 2 >= allowed else { return }
        size = min(Self.most, allowed + (allowed < threshold ?? .infinity ? 1 : 1 / allowed))
    }

    /// Once for each round of calls, however many of them were refused.
    package mutating func cut(claimedAt: Moment, now: Moment) {
        if let cutAt, cutAt.epoch == claimedAt.epoch, claimedAt.milliseconds <= cutAt.milliseconds,
            cutAt.since(now) <= TokenBucket.minute
        {
            return
        }
        size = max(1, size(at: now) / 2)
        threshold = size
        cutAt = now
    }
}
