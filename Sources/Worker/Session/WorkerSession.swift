import Jobs
import Telemetry

/// One run of a registered worker: what its loops and its attempts share.
struct WorkerSession: Sendable {
    let store: any Working
    let caller: any ModelCaller
    let settings: WorkerSettings
    let log: Log
    let worker: WorkerID
    let runState: RunState
    /// Nil if no provider takes batches.
    let batches: ProviderBatchSettings?
    /// Rings when an attempt with a deadline begins.
    let overdueSignal = Signal()
    let priceWarner = UnknownPriceWarner()
    /// Rings at a change in the store.
    let revocationSignal = Signal()

    var inFlight: InFlight { runState.inFlight }
    var signal: Signal { runState.signal }
    var absence: StoreAbsence { runState.absence }

    /// Works until told otherwise, and returns when no attempt is open any more.
    func run() async {
        await withTaskGroup { duties in
            duties.addTask { await relayChanges() }
            duties.addTask { await keepLeases() }
            duties.addTask { await giveUpOverdue() }
            duties.addTask { await giveUpRevoked() }
            duties.addTask { await reap() }
            if settings.partition == .common { duties.addTask { await prune() } }
            if let batches { duties.addTask { await maintain(batches) } }
            await claimUntilTold()
            await drain()
            while inFlight.count > 0 { await signal.wait(atMost: Intervals.poll) }
            duties.cancelAll()
        }
    }

    private func relayChanges() async {
        for await _ in store.changes() {
            if mayHaveWork { signal.notify() }
            if inFlight.count > 0 { revocationSignal.notify() }
        }
    }

    /// An interactive lane is worth a look only while a client waits in it; a job that all clients have left is found by the slow poll.
    var mayHaveWork: Bool { settings.partition == .common || runState.interactive.count > inFlight.count }

    /// Gives calls in flight their grace period, then gives them up.
    private func drain() async {
        if settings.partition == .common {
            log.info("worker drains", ["running": .int(inFlight.count)])
        } else if inFlight.count > 0 {
            log.info("interactive calls drain", ["running": .int(inFlight.count)])
        }
        let end = store.now().moment + settings.grace
        while inFlight.count > 0, runState.current == .drain {
            let left = end.milliseconds - store.now().moment.milliseconds
            guard left > 0 else { break }
            await signal.wait(atMost: left)
        }
        let cut = inFlight.abort(inFlight.keys, .drained)
        if !cut.isEmpty { log.notice("worker hands calls back", ["calls": .int(cut.count)]) }
    }
}
