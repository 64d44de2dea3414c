/// Times in bounded room: eight counts for each doubling, so that a quantile is right to an eighth.
package struct LatencyHistogram: Hashable, Sendable {
    /// What of a job's time is counted.
    package enum Part: String, Sendable, CaseIterable {
        /// From when it could run to its answer.
        case answer
        /// Of that, until its call began.
        case waiting
        /// Of that, its last call.
        case calling
    }

    /// How often times of each class came.
    package private(set) var counts: [Int: Int]

    package init(counts: [Int: Int] = [:]) {
        self.counts = counts
    }

    package var total: Int { counts.values.reduce(0, +) }

    package mutating func add(_ count: Int, to index: Int) {
        counts[index, default: 0] += count
    }

    /// The class of a time: itself up to 15 ms, then eight to each doubling, up to 34 years.
    package static func index(of time: Milliseconds) -> Int {
        let value = min(max(0, time), 1 << 40)
        guard value >= 16 else { return Int(value) }
        let exponent = 63 - value.leadingZeroBitCount
        return (exponent - 2) * 8 + Int((value >> Milliseconds(exponent - 3)) & 7)
    }

    /// The longest time of a class.
    package static func longest(in index: Int) -> Milliseconds {
        guard index >= 16 else { return Milliseconds(index) }
        let exponent = index / 8 + 2
        let start = Milliseconds(8 + index % 8) << Milliseconds(exponent - 3)
        return start + (1 << Milliseconds(exponent - 3)) - 1
    }

    /// The time that this share of all stays within; nil if there is none.
    package func quantile(_ share: Double) -> Milliseconds? {
        let total = total
        guard total > 0 else { return nil }
        var left = max(1, Int((share * Double(total)).rounded(.up)))
        for (index, count) in counts.sorted(by: { $0.key < $1.key }) {
            left -= count
            if left <= 0 { return Self.longest(in: index) }
        }
        return nil
    }
}

/// How long answers of one route took lately.
package struct RouteLatency: Hashable, Sendable {
    package struct Quantiles: Hashable, Sendable {
        package var p50: Milliseconds
        package var p95: Milliseconds
        package var p99: Milliseconds

        package init?(_ histogram: LatencyHistogram) {
            guard let p50 = histogram.quantile(0.5), let p95 = histogram.quantile(0.95),
                let p99 = histogram.quantile(0.99)
            else { return nil }
            self.p50 = p50
            self.p95 = p95
            self.p99 = p99
        }
    }

    /// Answers that were counted.
    package var answers: Int
    package var answer: Quantiles
    package var waiting: Quantiles
    package var calling: Quantiles

    /// Nil if there was no answer lately.
    package init?(_ parts: [LatencyHistogram.Part: LatencyHistogram]) {
        guard let all = parts[.answer], let answer = Quantiles(all),
            let waiting = parts[.waiting].flatMap(Quantiles.init),
            let calling = parts[.calling].flatMap(Quantiles.init)
        else { return nil }
        answers = all.total
        self.answer = answer
        self.waiting = waiting
        self.calling = calling
    }

    package var parts: [(part: LatencyHistogram.Part, quantiles: Quantiles)] {
        [(.answer, answer), (.waiting, waiting), (.calling, calling)]
    }

    /// How much of the past counts as lately.
    package static let window: Milliseconds = 10 * 60_000
}
