import CrashPoint
import Jobs
import Telemetry

extension Shift {
    /// Claims for free slots whenever there may be something to claim, until an order comes.
    func claimUntilTold() async {
        var loop = ClaimLoop(slots: settings.slots)
        var backoff = Backoff(cap: 1000)
        while orders.current == .work {
            let occupancy = roster.occupancy
            let free = loop.freeSlots(occupancy)
            guard free > 0 else {
                await bell.wait(atMost: Rhythm.poll)
                continue
            }
            do {
                let claim = try await store.claim(
                    request(free, running: occupancy.open, looksFirst: loop.looksFirst), now: clock.now())
                begin(claim.attempts)
                backoff.reset()
                // Events that come while this sleeps are one event; where there is work, a commit gathers them.
                if claim.attempts.isEmpty { await pause(Rhythm.betweenClaims) }
                if let rest = loop.rest(after: claim, asked: free, running: occupancy.open) {
                    await bell.wait(atMost: rest)
                }
            } catch {
                log.error("claim failed", ["error": "\(error)"])
                await pause(backoff.next())
            }
        }
    }

    func request(_ slots: Int, running: Int, looksFirst: Bool = true) -> ClaimRequest {
        ClaimRequest(
            worker: worker, line: settings.line, slots: slots, running: running, looksFirst: looksFirst,
            lease: settings.lease, services: caller.services)
    }

    /// An order may have come during the claim: what it brought is then not begun but ended as the order
    /// says.
    func begin(_ claimed: [ClaimedAttempt]) {
        if !claimed.isEmpty { crashPoint("attempts-claimed") }
        let order = orders.current
        for attempt in claimed {
            roster.open(attempt, ending: order == .work ? nil : order == .drain ? .drained : .stopped)
            let live = settings.line == .own ? orders.desk.answer(to: attempt.key.job) : nil
            // No child of anybody: a call outlives the order to stop, and `run` waits for the roster to be empty.
            // It begins here, and goes its own way from the first wait on: that of its call.
            roster.note(Task.immediate { await run(attempt, live) }, of: attempt.key)
        }
        if claimed.contains(where: { $0.deadline != nil }) { overdueBell.ring() }
        // An order that came while they were being listed has not seen all of them.
        if orders.current == .stop { roster.abort(roster.keys, .stopped) }
    }
}

/// What the claiming loop remembers from one claim to the next; decisions only.
struct ClaimLoop {
    let slots: Int
    /// Whether the next claim should look before it takes the write lock: not where the last one left jobs, as it seems.
    private(set) var looksFirst = true
    /// A job that must run alone waits until nothing runs here.
    private var emptying = false

    init(slots: Int) {
        self.slots = slots
    }

    /// How many attempts may be claimed now.
    mutating func freeSlots(_ occupancy: Occupancy) -> Int {
        if occupancy.open == 0 { emptying = false }
        return occupancy.holdsLoner || emptying ? 0 : occupancy.freeSlots(of: slots)
    }

    /// How long to wait for an event before the next claim; nil to claim again at once.
    mutating func rest(after claim: Claim, asked: Int, running: Int) -> Milliseconds? {
        looksFirst = claim.attempts.count < asked && !claim.more
        emptying = claim.emptyYourself && running + claim.attempts.count > 0
        if emptying { return Rhythm.poll }
        if claim.more && claim.attempts.count < asked { return nil }
        return max(Rhythm.betweenClaims, min(Rhythm.poll, claim.wakeAfter ?? Rhythm.poll))
    }
}
