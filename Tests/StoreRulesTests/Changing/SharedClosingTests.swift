import Jobs
import Testing

@testable import StoreRules

/// What a settlement leaves to another transaction is read there as it was said.
@Suite struct SharedClosingTests {
    private static let now = Now(
        timestamp: Timestamp(milliseconds: 1_790_000_000_123), moment: Moment(epoch: 0, milliseconds: 77))
    private static let usage = Usage(
        inputTokens: 1, outputTokens: .max, cacheWriteTokens: 3, cacheReadTokens: 4)
    private static let calls: [(RouteEvent, RouteLedger.Used)] = [
        (.succeeded, .tokens(usage)), (.rateLimited(retryAfter: nil), .requestOnly),
        (.rateLimited(retryAfter: 1_500), .requestOnly), (.overloaded(retryAfter: 0), .requestOnly),
        (.unavailable, .unknown), (.unauthorized, .requestOnly), (.forbidden, .requestOnly),
        (.spendCapped(until: nil, suspected: true), .requestOnly),
        (.spendCapped(until: Timestamp(milliseconds: 5), suspected: false), .requestOnly),
        (.refused(signature: "a \"quoted\"\nline \u{1F600}"), .requestOnly), (.neutral, .nothing),
    ]

    private func closing(_ event: RouteEvent, _ used: RouteLedger.Used) -> SharedClosing {
        var closing = SharedClosing(
            route: 3, queue: .max, openedAt: Moment(epoch: 0, milliseconds: 70), windows: [1, .max],
            worstCase: Money(nanodollars: .max), now: Self.now)
        closing.call = SharedClosing.Call(
            need: RouteLedger.Need(input: 0.1 + 0.2, output: 4_096),
            marks: RouteLedger.Marks(requests: 1e15 + 0.125, input: 1.0 / 3, output: 0, succeeded: 9),
            requestBytes: 512, used: used, event: event,
            limits: LimitReport(
                requests: .init(limit: 50, remaining: nil), outputTokens: .init(limit: 8_000, remaining: 0)),
            milliseconds: 1_234)
        closing.credential = 6
        closing.saying = .refused(signature: "invalid", message: "no \u{0} such \"model\"")
        closing.money = BudgetLedger.Change(
            reserved: Money(nanodollars: -.max), settled: Money(nanodollars: 7),
            unconfirmedCost: Money(nanodollars: -8))
        let hash = [UInt8](0...255)
        closing.releases = [
            Release(.all(skippingCoalescing: true), hash, route: 1), Release(.first, [], route: 2),
            Release(.firstAt(Self.now.timestamp), hash, route: 3),
        ]
        let key = AttemptKey(job: JobID(Int64.max), number: 2)
        closing.prefixes = [
            .init(hash: hash, route: 1, change: .gone),
            .init(hash: hash, route: 2, change: .warm(until: Self.now.moment)),
            .init(hash: hash, route: 3, change: .awaited(by: key, Self.now.moment)),
        ]
        return closing
    }

    @Test func `All that a settlement says is read as it was written`() throws {
        var said = Self.calls.map { closing($0.0, $0.1) }
        said.append(
            SharedClosing(
                route: 1, queue: 2, openedAt: Self.now.moment, windows: [], worstCase: .zero, now: Self.now))
        let read = try #require(SharedClosing.read(SharedClosing.write(said), epoch: 0))
        #expect(read.count == said.count)
        for (read, said) in zip(read, said) { #expect("\(read)" == "\(said)") }
    }

    @Test(arguments: [
        "", "{}", "[{}]", "[1]", #"[{"route":1,"queue":2,"opened":3,"now":4}]"#,
        #"[{"route":1,"queue":2,"opened":3,"now":4,"moment":5,"call":{}}]"#,
        #"[{"route":1,"queue":2,"opened":3,"now":4,"moment":5,"releases":[{"hash":[256],"route":1}]}]"#,
        #"[{"route":1,"queue":2,"opened":3,"now":4,"moment":5,"prefixes":[{}]}]"#,
        #"[{"route":1e99,"queue":2,"opened":3,"now":4,"moment":5}]"#,
    ])
    func `What is none is not taken for a part of one`(_ text: String) {
        #expect(SharedClosing.read(Array(text.utf8), epoch: 0) == nil)
    }
}
