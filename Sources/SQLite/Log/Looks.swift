/// When to look for a commit after a hint: at 1, 2, 4 … milliseconds, for about two seconds, as long as a sync may take.
package struct Looks: Sendable {
    /// When the next look is due, in nanoseconds; nil when none is.
    package private(set) var next: Int64?
    private var milliseconds: Int64 = 1

    private static let lastMilliseconds: Int64 = 1_024

    package init() {}

    package mutating func begin(at now: Int64) {
        milliseconds = 1
        next = now + 1_000_000
    }

    /// A look found nothing; also called for ever if the truth is polled and no hint ever comes.
    package mutating func thinOut(at now: Int64) {
        milliseconds = min(milliseconds * 2, Self.lastMilliseconds * 2)
        next = milliseconds <= Self.lastMilliseconds ? now + milliseconds * 1_000_000 : nil
    }
}
