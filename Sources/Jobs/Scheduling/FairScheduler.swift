/// Stride scheduling: each queue is served in proportion to its weight, over time and whatever comes and goes.
///
/// A queue's pass is its place in a common virtual time; a job taken moves it on by one over the queue's weight, and the
/// queue that is furthest back goes next. One that had nothing to do, or could not go, joins where the others are: it
/// neither pays for its absence nor is paid for it.
package struct FairScheduler: Hashable, Sendable {
    /// The pass of the queue that went last; it only grows.
    package private(set) var virtualTime: Double

    package init(virtualTime: Double = 0) {
        self.virtualTime = virtualTime
    }

    /// The one of `queues` that goes next.
    package func next<ID: Hashable & Comparable>(among queues: [ID: Double]) -> ID? {
        queues.min { left, right in
            let (a, b) = (max(left.value, virtualTime), max(right.value, virtualTime))
            // A queue that waited goes before those that were served.
            return (a, left.value, left.key) < (b, right.value, right.key)
        }?.key
    }

    /// The queue's new pass after a job of it was taken.
    package mutating func take(at pass: Double, weight: Int) -> Double {
        let start = max(pass, virtualTime)
        virtualTime = start
        return start + 1 / Double(max(1, weight))
    }
}
