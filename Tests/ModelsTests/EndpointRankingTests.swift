import Jobs
import Models
import Testing

@Suite struct EndpointRankingTests {
    private var ranking = EndpointRanking(["https://a", "https://b", "https://c"])

    /// Every endpoint measured, the second the fastest.
    private mutating func measure() {
        for (index, latency) in [300, 100, 200].enumerated() {
            _ = ranking.order(at: 0)
            _ = ranking.note(.answered(after: Milliseconds(latency)), of: index, at: 0)
        }
        // Those that were not yet tried first have had their turn.
        for _ in 0..<3 { _ = ranking.order(at: 0) }
    }

    @Test mutating func `Each gets a call before any is judged`() {
        var firsts: Set<Int> = []
        for _ in 0..<3 {
            let first = ranking.order(at: 0)[0]
            firsts.insert(first)
            _ = ranking.note(.answered(after: 100), of: first, at: 0)
        }
        #expect(firsts == [0, 1, 2])
    }

    @Test mutating func `The fastest is the best, the others follow`() {
        measure()
        #expect(ranking.ranked == [1, 2, 0])
        let order1 = ranking.order(at: 1)
        #expect(order1 == [1, 2, 0])
    }

    @Test mutating func `One that cannot be reached is left at once`() {
        measure()
        let told2 = ranking.note(.unreachable, of: 1, at: 10)
        #expect(told2)
        let order3 = ranking.order(at: 11)
        #expect(order3 == [2, 0, 1])
    }

    @Test mutating func `One failure is forgiven, two in a row are not`() {
        measure()
        let told4 = ranking.note(.failed, of: 1, at: 10)
        #expect(!told4)
        #expect(ranking.ranked[0] == 1)
        let told5 = ranking.note(.cut, of: 1, at: 10)
        #expect(told5)
        #expect(ranking.ranked[0] == 2)
    }

    @Test mutating func `One that is ill is tried by one call now and then, less and less often`() {
        measure()
        _ = ranking.note(.unreachable, of: 1, at: 0)
        var trials: [Milliseconds] = []
        for now in stride(from: Milliseconds(10), to: 60_000, by: 10) where ranking.order(at: now)[0] == 1 {
            trials.append(now)
            _ = ranking.note(.unreachable, of: 1, at: now)
        }
        #expect(trials.first == 1000)
        #expect((3...8).contains(trials.count))
    }

    @Test mutating func `One that is well again is the best again`() {
        measure()
        _ = ranking.note(.unreachable, of: 1, at: 0)
        let order6 = ranking.order(at: 1000)
        #expect(order6[0] == 1)
        let told7 = ranking.note(.answered(after: 100), of: 1, at: 1100)
        #expect(told7)
        #expect(ranking.ranked[0] == 1)
    }

    @Test mutating func `A hundred calls that fail together are one relapse`() {
        measure()
        for _ in 0..<100 { _ = ranking.note(.unreachable, of: 1, at: 10) }
        let order8 = ranking.order(at: 1100)
        #expect(order8[0] == 1)
    }

    @Test mutating func `The slower ones get a call now and then, so that a change is noticed`() {
        measure()
        let order9 = ranking.order(at: 14_000)
        #expect(order9[0] == 1)
        let order10 = ranking.order(at: 15_000)
        #expect(order10[0] == 2)
        for _ in 0..<30 { _ = ranking.note(.answered(after: 20), of: 2, at: 15_000) }
        #expect(ranking.ranked[0] == 2)
    }

    @Test mutating func `A refusal says that it is well, not how fast it is`() {
        measure()
        for _ in 0..<50 { _ = ranking.note(.answered(after: nil), of: 0, at: 0) }
        #expect(ranking.ranked == [1, 2, 0])
    }
}
