/// Whose turn it is among queues: each takes turns in proportion to its weight, over time and whatever comes and goes.
///
/// A queue's turn is a place on a common line; a job taken moves it on by one over the queue's weight, and the queue that
/// is furthest back goes next. One that had nothing to do, or could not go, joins where the others are: it neither pays
/// for its absence nor is paid for it.
package struct FairScheduler: Hashable, Sendable {
    /// The place of the queue that went last; it only grows.
    package private(set) var line: Double

    package init(line: Double = 0) {
        self.line = line
    }

    /// The one of `queues` that goes next.
    package func next<ID: Hashable & Comparable>(among queues: [ID: Double]) -> ID? {
        queues.min { left, right in
            let (a, b) = (max(left.value, line), max(right.value, line))
            // Who waited through the others' turns goes before those who had them.
            return (a, left.value, left.key) < (b, right.value, right.key)
        }?.key
    }

    /// The queue's new place after a job of it was taken.
    package mutating func take(at turn: Double, weight: Int) -> Double {
        let start = max(turn, line)
        line = start
        return start + 1 / Double(max(1, weight))
    }
}
