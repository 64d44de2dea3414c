/// Durations of one kind, in milliseconds.
struct Latencies: Sendable {
    private var sorted: [Double]

    init(_ milliseconds: [Double]) {
        sorted = milliseconds.sorted()
    }

    var count: Int { sorted.count }

    /// The smallest value that so many percent do not exceed; 0 if there is none.
    func percentile(_ percent: Double) -> Double {
        guard let last = sorted.last else { return 0 }
        let index = Int((Double(sorted.count) * percent / 100).rounded(.up)) - 1
        return sorted.indices.contains(index) ? sorted[index] : last
    }

    /// For a note: `p50 1.2 ms, p99 3.4 ms, worst 9 ms`.
    var text: String {
        "p50 \(Table.number(percentile(50))) ms, p99 \(Table.number(percentile(99))) ms, worst "
            + "\(Table.number(percentile(100))) ms"
    }
}

extension Duration {
    var seconds: Double { self / .seconds(1) }
    var milliseconds: Double { self / .milliseconds(1) }
}

/// How long something takes, in seconds.
func seconds(_ body: () async throws -> Void) async rethrows -> Double {
    try await ContinuousClock().measure { try await body() }.seconds
}
