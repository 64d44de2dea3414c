import Jobs
import Testing

@Suite struct RetryPolicyTests {
    /// Leads to the largest (of `max`) or the smallest number (of 1; a 0 would be drawn again for ever).
    private struct Extreme: RandomNumberGenerator {
        let value: UInt64
        mutating func next() -> UInt64 { value }
    }

    private let policy = RetryPolicy(base: 1000, cap: 60_000)

    @Test(
        arguments: [
            (0, 2000), (1, 2000), (2, 4000), (3, 8000), (5, 32_000), (6, 60_000), (100, 60_000),
            (Int.max, 60_000),
            (-7, 2000),
        ] as [(Int, Milliseconds)])
    func `The ceiling doubles with each failure up to the cap`(failures: Int, ceiling: Milliseconds) {
        var highest = Extreme(value: .max)
        var lowest = Extreme(value: 1)
        #expect(policy.delay(failures: failures, using: &highest) == ceiling)
        #expect(policy.delay(failures: failures, using: &lowest) == 1)
    }

    @Test func `Delays spread over the whole range`() {
        var random = SystemRandom()
        let delays = (0..<2000).map { _ in policy.delay(failures: 1, using: &random) }
        #expect(delays.allSatisfy { (1...2000).contains($0) })
        for quarter in 0..<4 {
            let share = delays.count { ($0 - 1) / 500 == quarter }
            #expect((300...700).contains(share), "quarter \(quarter) has \(share) of 2000")
        }
    }

    @Test func `A base and a cap of zero still give a delay`() {
        var random = SystemRandom()
        #expect(RetryPolicy(base: 0, cap: 0).delay(failures: 1, using: &random) == 1)
    }
}
