import Jobs
import Telemetry

/// One run of a registered worker: what its loops and its attempts share.
struct Shift: Sendable {
    let store: any JobStore
    let caller: any ModelCaller
    let clock: any Clock
    let settings: WorkerSettings
    let log: Log
    let worker: WorkerID
    let orders: Orders
    /// Nil where no provider takes batches.
    let batches: Batches?
    /// Rings when an attempt with a deadline begins.
    let overdueBell = Bell()
    let priceWatch = PriceWatch()
    /// Rings at a change in the store.
    let revocationBell = Bell()

    var roster: Roster { orders.roster }
    var bell: Bell { orders.bell }

    /// Works until told otherwise, and returns when no attempt is open any more.
    func run() async {
        await withTaskGroup { duties in
            duties.addTask { await relayChanges() }
            duties.addTask { await keepLeases() }
            duties.addTask { await giveUpOverdue() }
            duties.addTask { await giveUpRevoked() }
            duties.addTask { await reap() }
            if settings.line == .common { duties.addTask { await prune() } }
            if let batches { duties.addTask { await tend(batches) } }
            await claimUntilTold()
            await drain()
            while roster.count > 0 { await bell.wait(atMost: Rhythm.poll) }
            duties.cancelAll()
        }
    }

    private func relayChanges() async {
        for await _ in store.changes() {
            if mayHaveWork { bell.ring() }
            revocationBell.ring()
        }
    }

    /// An own line is worth a look only while somebody waits in it; whom everybody has left is found by the slow poll.
    var mayHaveWork: Bool { settings.line == .common || orders.desk.count > roster.count }

    /// Gives calls in flight their grace period, then gives them up.
    private func drain() async {
        if settings.line == .common {
            log.info("worker drains", ["running": .int(roster.count)])
        } else if roster.count > 0 {
            log.info("interactive calls drain", ["running": .int(roster.count)])
        }
        let end = clock.now().moment + settings.grace
        while roster.count > 0, orders.current == .drain {
            let left = end.milliseconds - clock.now().moment.milliseconds
            guard left > 0 else { break }
            await bell.wait(atMost: left)
        }
        let cut = roster.abort(roster.keys, .drained)
        if !cut.isEmpty { log.notice("worker hands calls back", ["calls": .int(cut.count)]) }
    }
}
