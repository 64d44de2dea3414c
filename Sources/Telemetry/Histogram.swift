import Synchronization

/// Counts observations by size; any thread may observe while another takes a snapshot.
package final class Histogram: Sendable {
    /// What was observed up to one moment.
    package struct Snapshot: Sendable, Equatable {
        /// Upper bounds, each inclusive, in ascending order.
        package let bounds: [Double]
        /// How many were at most each bound, and last how many there were at all.
        package let cumulativeCounts: [Int]
        package let sum: Double
    }

    /// Seconds from a millisecond to ten minutes: what a call to a model may take.
    package static let latencyBounds: [Double] = [
        0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600,
    ]

    private let bounds: [Double]
    private let state: Mutex<(counts: [Int], sum: Double)>

    /// The bounds must ascend.
    package init(bounds: [Double] = Histogram.latencyBounds) {
        precondition(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }, "bounds must ascend")
        self.bounds = bounds
        state = Mutex(([Int](repeating: 0, count: bounds.count + 1), 0))
    }

    /// Counts one observation; what is not a number is left out.
    package func observe(_ value: Double) {
        guard !value.isNaN else { return }
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { state in
            state.counts[bucket] += 1
            state.sum += value
        }
    }

    /// Counts and sum of one moment, so that they agree.
    package func snapshot() -> Snapshot {
        let (counts, sum) = state.withLock { $0 }
        var total = 0
        let cumulative = counts.map { count in
            total += count
            return total
        }
        return Snapshot(bounds: bounds, cumulativeCounts: cumulative, sum: sum)
    }
}
