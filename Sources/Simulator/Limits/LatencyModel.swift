/// How long an answer takes: a first wait that varies as queues do, then so many tokens a second.
package struct LatencyModel: Sendable, Equatable {
    /// Milliseconds before the first token in the middle case; 0 for none.
    package var median: Double
    /// The spread: standard deviation of the logarithm.
    package var sigma: Double
    /// The share of calls that wait five to ten times as long.
    package var tail: Double
    /// Output tokens per second; 0 writes everything at once.
    package var outputRate: Double

    package init(median: Double = 0, sigma: Double = 0.4, tail: Double = 0, outputRate: Double = 0) {
        self.median = median
        self.sigma = sigma
        self.tail = tail
        self.outputRate = outputRate
    }

    /// Milliseconds until the first token.
    func firstToken(_ random: inout SeededRandom) -> Int64 {
        guard median > 0 else { return 0 }
        var wait = random.logNormal(median: median, sigma: sigma)
        if tail > 0, random.unit() < tail { wait *= 5 + 5 * random.unit() }
        return Int64(wait.rounded())
    }

    /// Milliseconds that writing so many tokens takes.
    func writing(_ tokens: Int) -> Int64 {
        outputRate > 0 ? Int64((Double(tokens) * 1000 / outputRate).rounded()) : 0
    }
}
