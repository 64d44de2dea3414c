import Jobs
import Testing

/// A provider that asks to wait is obeyed, whatever else is heard of the route meanwhile.
@Suite struct RetryAfterTests {
    private var gate = RouteGate()

    private static func now(_ milliseconds: Int64) -> Now {
        Now(
            timestamp: Timestamp(milliseconds: milliseconds),
            moment: Moment(epoch: 1, milliseconds: milliseconds))
    }

    private mutating func hear(_ event: RouteEvent, claimedAt: Int64, at time: Int64) {
        var random = SystemRandom()
        gate.apply(event, claimedAt: Self.now(claimedAt).moment, now: Self.now(time), using: &random)
    }

    private func isClosed(at time: Int64) -> Bool {
        if case .closed = gate.passage(at: Self.now(time).moment) { true } else { false }
    }

    @Test mutating func `A success that was claimed beside the refusal opens nothing`() {
        hear(.rateLimited(retryAfter: 5000), claimedAt: 0, at: 100)
        hear(.succeeded, claimedAt: 100, at: 400)
        #expect(isClosed(at: 401) && isClosed(at: 5099))
    }

    @Test mutating func `A success after the wait opens the gate, with a ramp from then`() {
        hear(.rateLimited(retryAfter: 5000), claimedAt: 0, at: 100)
        hear(.succeeded, claimedAt: 5500, at: 5600)
        #expect(gate.state == .open)
        #expect(gate.passage(at: Self.now(5700).moment) != .open(atMost: nil))
    }

    @Test(arguments: [
        RouteEvent.unavailable, .unauthorized, .forbidden, .spendCapped(until: nil, suspected: true),
    ])
    mutating func `Other trouble does not shorten the wait`(_ event: RouteEvent) {
        hear(.rateLimited(retryAfter: 60_000), claimedAt: 0, at: 100)
        for _ in 0..<6 { hear(event, claimedAt: 100, at: 200) }
        #expect(isClosed(at: 60_000))
    }

    @Test mutating func `An overloaded provider's own wait is the least`() {
        for _ in 0..<RouteGate.tripAfter {
            hear(.overloaded(retryAfter: 20_000), claimedAt: 0, at: 100)
        }
        #expect(isClosed(at: 20_000))
    }
}
