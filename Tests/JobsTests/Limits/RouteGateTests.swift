import Jobs
import Testing

/// How long a provider's wish is obeyed, and what opens a gate again.
@Suite struct RouteGateTests {
    private var gate = RouteGate()
    private static let day: Milliseconds = 86_400_000
    private static let epoch: Milliseconds = 1_790_000_000_000

    private static func now(_ milliseconds: Int64) -> Now {
        Now(
            timestamp: Timestamp(milliseconds: epoch + milliseconds),
            moment: Moment(epoch: 1, milliseconds: milliseconds))
    }

    private mutating func hear(_ event: RouteEvent, claimedAt: Int64, at time: Int64) {
        var random = SystemRandom()
        gate.apply(event, claimedAt: Self.now(claimedAt).moment, now: Self.now(time), using: &random)
    }

    private func passage(at time: Int64) -> RouteGate.Passage { gate.passage(at: Self.now(time).moment) }

    private func isClosed(at time: Int64) -> Bool {
        if case .closed = passage(at: time) { true } else { false }
    }

    private mutating func probe(at time: Int64) {
        #expect(passage(at: time) == .oneProbe)
        gate.probeSent(at: Self.now(time).moment)
    }

    @Test mutating func `A long retry-after is obeyed for five minutes, and then one call tries`() {
        hear(.rateLimited(retryAfter: RetryAfter(delay: 31_536_000_000).delay), claimedAt: 0, at: 100)
        #expect(isClosed(at: 299_999))
        #expect(gate.explanation.contains(Timestamp(milliseconds: Self.epoch + 100 + Self.day).text))
        probe(at: 316_000)
        #expect(isClosed(at: 316_001))
        hear(.succeeded, claimedAt: 316_000, at: 317_000)
        #expect(passage(at: 317_000) == .open(atMost: 2))
        #expect(passage(at: 323_000) == .open(atMost: nil))
    }

    @Test mutating func `A probe that hears the same again closes the gate for as long again`() {
        for round in 0..<3 {
            let time = Int64(round) * 400_000
            if round > 0 { probe(at: time) }
            hear(.rateLimited(retryAfter: Self.day), claimedAt: time, at: time)
            #expect(isClosed(at: time + 299_999))
        }
        probe(at: 1_200_000)
        hear(.rateLimited(retryAfter: 2_000), claimedAt: 1_200_000, at: 1_200_100)
        #expect(isClosed(at: 1_202_099))
        #expect(passage(at: 1_203_000) == .open(atMost: 3))
    }

    @Test mutating func `A 429 that answers the probe of a broken route is obeyed`() {
        for _ in 0..<RouteGate.tripAfter { hear(.unavailable, claimedAt: 0, at: 100) }
        probe(at: 10_000)
        hear(.rateLimited(retryAfter: 60_000), claimedAt: 10_000, at: 10_200)
        #expect(gate.state == .rateLimited)
        #expect(isClosed(at: 70_199))
        #expect(passage(at: 73_400) != .oneProbe && !isClosed(at: 73_400))
    }

    @Test(arguments: [
        (RouteEvent.unauthorized, RouteGate.State.credential), (.forbidden, .forbidden),
        (.spendCapped(until: nil, suspected: false), .spendCap),
    ])
    mutating func `A 429 that answers another probe is obeyed, and its question asked again`(
        _ event: RouteEvent, _ state: RouteGate.State
    ) {
        hear(event, claimedAt: 0, at: 100)
        probe(at: 400_000)
        hear(.rateLimited(retryAfter: 90_000), claimedAt: 400_000, at: 400_100)
        #expect(gate.state == state)
        #expect(isClosed(at: 490_099))
        probe(at: 495_000)
        hear(.succeeded, claimedAt: 495_000, at: 495_100)
        #expect(gate.state == .open)
    }

    @Test mutating func `The beginning of the probe's answer opens the gate, that of an older call does not`()
    {
        for _ in 0..<RouteGate.tripAfter { hear(.unavailable, claimedAt: 0, at: 100) }
        gate.begin(claimedAt: Self.now(0).moment, now: Self.now(200).moment)
        #expect(gate.state == .broken)
        probe(at: 10_000)
        gate.begin(claimedAt: Self.now(10_000).moment, now: Self.now(13_000).moment)
        #expect(gate.state == .open)
        hear(.succeeded, claimedAt: 10_000, at: 39_000)
        #expect(passage(at: 39_000) == .open(atMost: nil))
    }

    @Test
    mutating func
        `Where answers take longer than the patience with a probe, one opens the gate all the same`()
    {
        for _ in 0..<RouteGate.tripAfter { hear(.unavailable, claimedAt: 0, at: 100) }
        probe(at: 10_000)
        probe(at: 46_000)
        hear(.succeeded, claimedAt: 10_000, at: 70_000)
        #expect(gate.state == .open)
    }

    @Test(arguments: [RouteGate.State.rateLimited, .broken, .credential, .forbidden, .spendCap])
    mutating func `A gate that was stored as closed for a day, or for ever, lets a probe through`(
        _ state: RouteGate.State
    ) {
        for until in [Self.day, .max] {
            gate = RouteGate(
                state: state, until: Moment(epoch: 1, milliseconds: until),
                closedAt: Moment(epoch: 1, milliseconds: .max), failures: .max, trips: .max,
                rampFrom: Moment(epoch: 1, milliseconds: .max))
            probe(at: 1000)
            hear(.succeeded, claimedAt: 1000, at: 1100)
            #expect(gate.state == .open)
        }
    }

    @Test mutating func `An overloaded provider's wish for a day is obeyed for minutes`() {
        for _ in 0..<RouteGate.tripAfter { hear(.overloaded(retryAfter: Self.day), claimedAt: 0, at: 100) }
        #expect(isClosed(at: 300_000))
        #expect(passage(at: 306_000) == .oneProbe)
    }
}
