import CrashPoint
import Jobs
import Telemetry

extension WorkerSession {
    /// Claims for free slots whenever there may be something to claim, until an order comes.
    func claimUntilTold() async {
        var loop = ClaimLoop(slots: settings.slots)
        var backoff = Backoff(cap: 1000)
        while runState.current == .work {
            let slotUsage = inFlight.slotUsage
            let free = loop.freeSlots(slotUsage)
            guard free > 0 else {
                await signal.wait(atMost: Intervals.poll)
                continue
            }
            do {
                let claim = try await store.claim(
                    request(free, running: slotUsage.open, looksFirst: loop.looksFirst))
                begin(claim.attempts)
                backoff.reset()
                if !claim.attempts.isEmpty { absence.ended(log) }
                // Events that come while this sleeps are one event; if there is work, a commit gathers them.
                if claim.attempts.isEmpty { await pause(Intervals.betweenClaims) }
                if let rest = loop.rest(after: claim, asked: free, running: slotUsage.open) {
                    await signal.wait(atMost: rest)
                }
            } catch {
                absence.failed(.error, "claim failed", error, log)
                await pause(backoff.next())
            }
        }
    }

    func request(_ slots: Int, running: Int, looksFirst: Bool = true) -> ClaimRequest {
        ClaimRequest(
            worker: worker, partition: settings.partition, slots: slots, running: running,
            looksFirst: looksFirst,
            lease: settings.lease, services: caller.services)
    }
}

/// What the claiming loop remembers from one claim to the next; decisions only.
struct ClaimLoop {
    let slots: Int
    /// Whether the next claim should look before it takes the write lock: not if the last one left jobs, as it seems.
    private(set) var looksFirst = true
    /// A job that must run alone waits until nothing runs here.
    private var emptying = false

    init(slots: Int) {
        self.slots = slots
    }

    /// How many attempts may be claimed now.
    mutating func freeSlots(_ slotUsage: SlotUsage) -> Int {
        if slotUsage.open == 0 { emptying = false }
        return slotUsage.holdsLoneJob || emptying ? 0 : slotUsage.freeSlots(of: slots)
    }

    /// How long to wait for an event before the next claim; nil to claim again at once.
    mutating func rest(after claim: Claim, asked: Int, running: Int) -> Milliseconds? {
        looksFirst = claim.attempts.count < asked && !claim.more
        emptying = claim.drainFirst && running + claim.attempts.count > 0
        if emptying { return Intervals.poll }
        if claim.more && claim.attempts.count < asked { return nil }
        return max(Intervals.betweenClaims, min(Intervals.poll, claim.wakeAfter ?? Intervals.poll))
    }
}
