import Jobs
import TestSupport
import Testing

/// The true time, and clocks that say something else.
private struct World {
    static let start: Int64 = 1_790_000_000_000
    static let patience: Milliseconds = 600_000
    static let day: Milliseconds = 86_400_000
    var boot: Int64 = 7
    var uptime: Int64 = 1_000_000
    var passed: Int64 = 0
    var calendar: AgreedCalendar

    init() {
        calendar = AgreedCalendar(
            timestamp: Timestamp(milliseconds: Self.start), moment: Moment(epoch: 7, milliseconds: 1_000_000))
    }

    var truth: Timestamp { Timestamp(milliseconds: Self.start + passed) }

    func own(off offset: Milliseconds = 0) -> Now {
        Now(timestamp: truth + offset, moment: Moment(epoch: boot, milliseconds: uptime))
    }

    mutating func pass(_ time: Milliseconds) {
        passed += time
        uptime += time
    }

    /// Processes with these offsets look every five seconds.
    mutating func look(off offsets: Milliseconds..., for time: Milliseconds) {
        for _ in 0..<(time / 5_000) {
            pass(5_000)
            for offset in offsets { calendar.attest(own(off: offset), patience: Self.patience) }
        }
    }

    mutating func restart(after stop: Milliseconds) {
        passed += stop
        boot += 1
        uptime = 4_000
    }
}

@Suite struct AgreedCalendarTests {
    @Test func `a jump is seen at the next look, and right again it leaves nothing`() {
        var world = World()
        world.look(off: 0, for: 60_000)
        let jumped = world.calendar.now(own: world.own(off: 40 * World.day))
        #expect(jumped.timestamp == world.truth && jumped.disagreement == 40 * World.day)
        #expect(!jumped.isCertain && !jumped.ends(Timestamp(milliseconds: 0)))
        world.look(off: 40 * World.day, for: 60_000)
        world.look(off: 0, for: 40_000)
        #expect(world.calendar.now(own: world.own()) == world.own())
        #expect(world.calendar.claim == nil && world.calendar.moved == 0)
    }

    @Test func `a small step is followed at once`() {
        var world = World()
        world.look(off: 2_000, for: 10_000)
        #expect(world.calendar.now(own: world.own(off: 2_000)) == world.own(off: 2_000))
    }

    @Test(arguments: [40, -40, 20_000, -20_000])
    func `a correction that nobody contradicts counts after a while, and makes nothing older`(days: Int64) {
        var world = World()
        let offset = days * World.day
        world.look(off: offset, for: World.patience)
        #expect(!world.calendar.now(own: world.own(off: offset)).isCertain)
        world.look(off: offset, for: 10_000)
        let now = world.calendar.now(own: world.own(off: offset))
        #expect(now == world.own(off: offset))
        // What was kept a minute before the correction is a minute old.
        let kept = World.day
        let oldest = world.calendar.oldest(kept: kept, at: now.timestamp)
        #expect(oldest <= Timestamp(milliseconds: World.start) + World.patience + 20_000)
        if days > 0 { #expect(oldest < Timestamp(milliseconds: World.start)) }
    }

    @Test func `one that agrees with what is remembered keeps any number of others out`() {
        var world = World()
        world.look(off: 0, 40 * World.day, 40 * World.day, -World.day, for: 10 * World.patience)
        #expect(world.calendar.now(own: world.own()) == world.own())
        #expect(!world.calendar.now(own: world.own(off: 40 * World.day)).isCertain)
    }

    @Test func `two that contradict each other are believed neither`() {
        var world = World()
        world.look(off: World.day, 40 * World.day, for: 10 * World.patience)
        #expect(world.calendar.now(own: world.own()) == world.own())
    }

    @Test func `a claim must be made without a pause`() {
        var world = World()
        for _ in 0..<100 {
            world.pass(AgreedCalendar.longestSilence + 1)
            world.calendar.attest(world.own(off: World.day), patience: World.patience)
        }
        #expect(!world.calendar.now(own: world.own(off: World.day)).isCertain)
    }

    @Test func `an honest stop of hours is no trouble, one of weeks is on trial`() {
        var world = World()
        world.look(off: 0, for: 60_000)
        world.restart(after: 3 * 3_600_000)
        world.calendar.attest(world.own(), patience: World.patience)
        #expect(world.calendar.now(own: world.own()) == world.own())
        world.restart(after: 30 * World.day)
        world.calendar.attest(world.own(), patience: World.patience)
        #expect(world.calendar.now(own: world.own()).disagreement > 29 * World.day)
        #expect(world.calendar.now(own: world.own()).timestamp == world.truth)
        // Whether it was the calendar or the machine that stood still: what was kept is kept.
        #expect(world.calendar.oldest(kept: World.day, at: world.truth) < world.truth + -(30 * World.day))
        world.look(off: 0, for: World.patience + 10_000)
        #expect(world.calendar.now(own: world.own()).isCertain)
    }

    @Test func `a calendar that lost its battery at a boot never goes back`() {
        var world = World()
        world.look(off: 0, for: 60_000)
        let last = world.truth
        world.restart(after: 60_000)
        let wrong = -10_000 * World.day
        world.calendar.attest(world.own(off: wrong), patience: World.patience)
        let now = world.calendar.now(own: world.own(off: wrong))
        #expect(now.timestamp >= last + -30_000 && !now.isCertain)
        // Right before it is believed.
        world.look(off: wrong, for: 60_000)
        world.look(off: 0, for: 10_000)
        let right = world.calendar.now(own: world.own())
        #expect(abs(right.timestamp - world.truth) <= 60_000 + AgreedCalendar.tolerance)
        world.look(off: 0, for: World.patience + 10_000)
        #expect(world.calendar.now(own: world.own()) == world.own())
    }

    @Test func `without patience whatever was said last counts`() {
        var world = World()
        world.pass(1_000)
        world.calendar.attest(world.own(off: World.day), patience: 0)
        #expect(world.calendar.now(own: world.own(off: World.day)).isCertain)
    }

    @Test(arguments: 1...20)
    func `no sequence of clocks traps, or moves what counts without a claim of that length`(seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        var world = World()
        let wild: [Int64] = [0, 40 * World.day, -40 * World.day, .max / 2, .min / 2]
        var offset: Int64 = 0
        var since: [Int64: Int64] = [:]
        for step in 0..<5_000 {
            world.pass(.random(in: 0...32_000, using: &random))
            if Int.random(in: 0..<30, using: &random) == 0 {
                offset = wild[Int.random(in: 0..<wild.count, using: &random)]
            }
            let own = Now(
                timestamp: Timestamp(milliseconds: (World.start + world.passed).addingClamped(offset)),
                moment: Moment(epoch: world.boot, milliseconds: world.uptime))
            let before = world.calendar.timestamp(at: own.moment)
            world.calendar.attest(own, patience: World.patience)
            let after = world.calendar.timestamp(at: own.moment)
            if abs(after.milliseconds.clampedMinus(before.milliseconds)) > AgreedCalendar.tolerance {
                let length = world.uptime - (since[offset] ?? world.uptime)
                #expect(length >= World.patience, "seed \(seed), step \(step)")
            }
            for other in since.keys where other != offset { since[other] = nil }
            if since[offset] == nil { since[offset] = world.uptime }
            _ = world.calendar.oldest(kept: World.day, at: own.timestamp)
        }
    }
}

extension Int64 {
    fileprivate func addingClamped(_ other: Int64) -> Int64 {
        let (value, overflows) = addingReportingOverflow(other)
        return overflows ? (other < 0 ? .min : .max) : value
    }

    fileprivate func clampedMinus(_ other: Int64) -> Int64 {
        let (value, overflows) = subtractingReportingOverflow(other)
        return overflows ? .max : value == .min ? .max : value
    }
}
