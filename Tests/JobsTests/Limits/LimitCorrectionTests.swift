import Jobs
import Testing

/// What an answer's headers do to the books of a limit.
@Suite struct LimitCorrectionTests {
    /// A route that is open and stated at 600 requests a minute.
    private var ledger = RouteLedger(
        gate: RouteGate(), isPaused: false, running: 0, succeeded: 1, isLearned: true,
        profile: RouteProfile(),
        lines: [
            .requests: RouteLedger.Line(
                stated: 600, bucket: TokenBucket(perMinute: 600, at: Self.now(0).moment), reserved: 0)
        ])
    private let need = RouteLedger.Need(input: 1, output: 1)

    private static func now(_ milliseconds: Int64) -> Now {
        Now(
            timestamp: Timestamp(milliseconds: milliseconds),
            moment: Moment(epoch: 1, milliseconds: milliseconds))
    }

    private var level: Double { ledger.lines[.requests]?.bucket.level ?? 0 }

    private mutating func close(
        _ marks: RouteLedger.Marks, remaining: Int, claimedAt: Int64 = 0, at time: Int64 = 0
    ) {
        var random = SystemRandom()
        ledger.close(
            need, marks: marks, requestBytes: 100, used: .tokens(Usage()), event: .succeeded,
            limits: LimitReport(requests: LimitReport.Window(limit: 600, remaining: remaining)),
            claimedAt: Self.now(claimedAt).moment, now: Self.now(time), using: &random)
    }

    @Test mutating func `Answers in another order than the claims take nothing away`() {
        let calls = (0..<100).map { _ in ledger.open(need, asProbe: false, now: Self.now(0).moment) }
        // The last claimed arrived first: the first claimed saw 500 left.
        for (index, marks) in calls.enumerated() { close(marks, remaining: 500 + index) }
        #expect(level == 488)
    }

    @Test mutating func `An old answer does not take away what was refilled since`() {
        let old = ledger.open(need, asProbe: false, now: Self.now(0).moment)
        for _ in 0..<587 { _ = ledger.open(need, asProbe: false, now: Self.now(0).moment) }
        close(old, remaining: 12, at: 30_000)
        #expect(level == 294)
    }

    @Test mutating func `What others used of the limit is theirs`() {
        let marks = ledger.open(need, asProbe: false, now: Self.now(0).moment)
        for _ in 0..<10 { _ = ledger.open(need, asProbe: false, now: Self.now(0).moment) }
        close(marks, remaining: 100)
        #expect(level == 90)
    }
}
