import Jobs
import TestSupport
import Testing

/// Runs of identical refusals, as the rules alone see them.
@Suite struct RefusalStreakTests {
    private func now(_ milliseconds: Milliseconds, boot: Int64 = 7) -> Now {
        Now(
            timestamp: Timestamp(milliseconds: milliseconds),
            moment: Moment(epoch: boot, milliseconds: milliseconds))
    }

    @Test func `What was in flight when the run became long says nothing new`() {
        var streak = RefusalStreak(signature: "400", message: "no")
        for _ in 0..<100 {
            streak.refuse(
                signature: "400", message: "no", claimedAt: Moment(epoch: 7, milliseconds: 1), now: now(5_000)
            )
        }
        #expect(streak.asksOneAtATime && !streak.isHeld && streak.wait(at: now(5_000).moment) == nil)
        streak.refuse(signature: "400", message: "no", claimedAt: now(5_000).moment, now: now(5_100))
        #expect(streak.isHeld && streak.wait(at: now(5_100).moment) == 1_000)
    }

    @Test func `Another kind of refusal begins another run`() {
        var streak = RefusalStreak(signature: "400", message: "no")
        for _ in 0..<30 {
            streak.refuse(signature: "400", message: "no", claimedAt: now(1).moment, now: now(1))
        }
        #expect(streak.isHeld)
        streak.refuse(signature: "404", message: "gone", claimedAt: now(2).moment, now: now(2))
        #expect(!streak.isHeld && streak.refusals == 1 && streak.message == "gone")
    }

    @Test func `Whatever comes, nobody waits longer than five minutes, and nothing traps`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var random = SeededRandom(seed: seed)
        for _ in 0..<200 {
            var streak = RefusalStreak(signature: "400", message: "no")
            var (time, boot): (Int64, Int64) = (0, 1)
            for _ in 0..<300 {
                time += Int64.random(in: 0...400_000, using: &random)
                if Int.random(in: 0..<50, using: &random) == 0 { boot += 1 }
                let claimed = Moment(
                    epoch: boot, milliseconds: Int64.random(in: 0...time + 1, using: &random))
                streak.refuse(
                    signature: Int.random(in: 0..<40, using: &random) == 0 ? "404" : "400", message: "no",
                    claimedAt: claimed, now: now(time, boot: boot))
                let wait = streak.wait(at: Moment(epoch: boot, milliseconds: time)) ?? 0
                #expect((0...RefusalStreak.longestWait).contains(wait))
                #expect(!streak.isHeld || streak.asksOneAtATime)
            }
        }
    }
}

@Suite struct KeyFingerprintTests {
    private let service = ServiceKey(
        provider: "p", endpoint: "https://e", credential: "KEY", simulated: false)

    @Test func `A fingerprint tells keys apart and does not tell them`() throws {
        let one = try #require(service.fingerprint(ofKey: "sk-ant-one"))
        #expect(one.utf8.count == 16 && one == service.fingerprint(ofKey: "sk-ant-one"))
        #expect(one != service.fingerprint(ofKey: "sk-ant-two"))
        let other = ServiceKey(provider: "q", endpoint: "https://e", credential: "KEY", simulated: false)
        #expect(one != other.fingerprint(ofKey: "sk-ant-one"))
        #expect(service.fingerprint(ofKey: "") == nil)
    }
}
