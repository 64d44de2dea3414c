import Jobs
import Testing

/// Calls in flight where a provider names no limits.
@Suite struct ConcurrencyWindowTests {
    private var window = ConcurrencyWindow(size: ConcurrencyWindow.opened)

    private func moment(_ milliseconds: Int64, boot: Int64 = 1) -> Moment {
        Moment(epoch: boot, milliseconds: milliseconds)
    }

    @Test mutating func `One refusal takes half of what was allowed, however little flies`() {
        window.cut(claimedAt: moment(0), now: moment(100))
        #expect(window.calls(at: moment(100)) == 10)
        // The others of the round say nothing new.
        window.cut(claimedAt: moment(50), now: moment(200))
        #expect(window.calls(at: moment(200)) == 10)
        window.cut(claimedAt: moment(150), now: moment(300))
        #expect(window.calls(at: moment(300)) == 5)
    }

    @Test mutating func `What a refusal took comes back without any answer`() {
        var time: Int64 = 0
        while window.calls(at: moment(time)) > 1 {
            window.cut(claimedAt: moment(time), now: moment(time + 1))
            time += 2
        }
        #expect(window.wait(at: moment(time)) ?? .max <= ConcurrencyWindow.recovery)
        time += window.wait(at: moment(time)) ?? 0
        #expect(window.calls(at: moment(time)) == 2)
        #expect(window.wait(at: moment(time + 60_000)) == nil)
    }

    @Test mutating func `It grows with answers as far as it is used`() {
        window.cut(claimedAt: moment(0), now: moment(0))
        for _ in 0..<9 { window.grow(running: 2, now: moment(1)) }
        #expect(window.calls(at: moment(1)) == 10)
        for _ in 0..<11 { window.grow(running: 10, now: moment(1)) }
        #expect(window.calls(at: moment(1)) == 11)
    }

    @Test mutating func `Another boot forgets the refusal`() {
        window.cut(claimedAt: moment(0), now: moment(1000))
        #expect(window.calls(at: moment(5, boot: 2)) == 20)
        window.cut(claimedAt: moment(6, boot: 2), now: moment(7, boot: 2))
        #expect(window.calls(at: moment(7, boot: 2)) == 10)
    }

    @Test(arguments: [Double.infinity, -.infinity, .nan, 1e300, -5, 0])
    func `What was stored wrongly is a window all the same`(_ size: Double) {
        let window = ConcurrencyWindow(size: size, threshold: size, cutAt: moment(.max))
        #expect(window.calls(at: moment(0)) >= 1 && window.calls >= 1)
        #expect(window.wait(at: moment(0)) ?? 0 <= ConcurrencyWindow.recovery)
    }
}
