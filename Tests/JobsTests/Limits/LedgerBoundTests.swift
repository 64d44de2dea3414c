import Jobs
import Testing

/// Numbers from outside are bounded where they are read, and what is counted with them holds at the largest.
@Suite struct LedgerBoundTests {
    private static func moment(_ milliseconds: Int64) -> Moment {
        Moment(epoch: 1, milliseconds: milliseconds)
    }

    @Test func `A limit is bounded, and no more remains of it than it is`() {
        let window = LimitReport.Window(limit: .max, remaining: .max)
        #expect(window.limit == TokenBucket.most && window.remaining == TokenBucket.most)
        #expect(LimitReport.Window(limit: .min, remaining: .min) == .init(limit: 0, remaining: 0))
        #expect(LimitReport.Window(limit: 10, remaining: 11).remaining == 10)
    }

    @Test func `A retry-after is at most a day, and obeyed for minutes`() {
        #expect(RetryAfter(delay: .max).delay == RetryAfter.longest)
        #expect(RetryAfter(delay: .max).obeyed == RouteGate.obedience)
        #expect(RetryAfter(delay: .min).delay == 0)
    }

    @Test func `A debt of answers is waited out within a minute`() {
        var bucket = TokenBucket(perMinute: 1000, at: Self.moment(0))
        bucket.take(10)
        bucket.settle(taken: 10, used: 1e18, open: 0)
        #expect(bucket.level == 10 - 980)
        #expect((60_000...60_001).contains(bucket.wait(for: 10)))
        bucket.correct(remaining: -1e18, reservedSince: 1e18, taken: 10, open: 0)
        #expect(bucket.level == 10 - 980)
    }

    @Test func `The debt of a call in flight stays while it flies`() {
        var bucket = TokenBucket(perMinute: 1000, at: Self.moment(0))
        bucket.take(5000)
        #expect(bucket.level == -4020)
        bucket.settle(taken: 10, used: 10, open: 5000)
        #expect(bucket.level == -4020)
        bucket.settle(taken: 5000, used: 5000, open: 0)
        #expect(bucket.level == 0)
    }

    @Test func `Another limit forgets the debt, and keeps what was used`() {
        var bucket = TokenBucket(perMinute: .max, at: Self.moment(0))
        bucket.correct(remaining: 0, reservedSince: 0, taken: 1, open: 0)
        bucket.restate(perMinute: 1000)
        #expect(bucket.level == 0 && bucket.wait(for: 1) < 100)
        bucket.restate(perMinute: 2000)
        #expect(bucket.level == 980)
    }

    @Test(arguments: [-9e18, -.infinity, .infinity, .nan, -1e7])
    func `A level that no call can have caused is forgotten`(_ level: Double) {
        let bucket = TokenBucket(
            perMinute: 1000, level: level, at: Self.moment(0), largest: RouteLedger.Meter.requests.largest)
        #expect(bucket.level == 980)
    }

    @Test func `A level that was written in the far future holds nothing back`() {
        for at in [Int64.max, 9_000_000] {
            var bucket = TokenBucket(perMinute: 1000, level: 0, at: Self.moment(at))
            bucket.advance(to: Self.moment(1000))
            #expect(bucket.level == 980 && bucket.at == Self.moment(1000))
        }
        var bucket = TokenBucket(perMinute: 1000, level: 0, at: Self.moment(.min))
        bucket.advance(to: Self.moment(0))
        #expect(bucket.level == 980)
    }

    @Test func `One answer moves what is expected by a bounded share`() {
        var profile = RouteProfile()
        for _ in 0..<50 { profile.learn(input: 100, output: 20, requestBytes: 400, callMilliseconds: 900) }
        let before = profile
        profile.learn(input: 1e18, output: 1e18, requestBytes: 400, callMilliseconds: .max)
        #expect(profile.inputPerByte < before.inputPerByte * 2)
        #expect(profile.expectedOutput(atMost: 100) <= 100)
        for _ in 0..<10_000 {
            profile.learn(input: 1e18, output: 1e18, requestBytes: 400, callMilliseconds: .max)
        }
        #expect(profile.inputPerByte <= 64 && profile.input.isFinite && profile.callMilliseconds.isFinite)
    }

    @Test func `A profile that was stored wrongly is as good as none`() {
        let profile = RouteProfile(
            answers: .max, inputPerByte: .nan, highOutput: .infinity, input: .nan, output: -1,
            callMilliseconds: .infinity)
        var ledger = RouteLedger(
            gate: RouteGate(), isPaused: false, running: 0, succeeded: 1, isLearned: true, profile: profile,
            lines: [:])
        let need = ledger.need(requestBytes: 1000, maxTokens: 64)
        #expect(need.input == 300 && need.output <= 64)
        ledger.profile.learn(input: 1, output: 1, requestBytes: 1, callMilliseconds: 1)
    }
}
