import Jobs
import Telemetry

extension WorkerSession {
    /// Settles, and tries again while that may help: an answer that was paid for is not thrown away for a
    /// full disk.
    ///
    /// Returns what it did; nil where it was given up.
    func settle(_ settlement: Settlement) async -> SettleOutcome? {
        var patience = SettlePatience(
            lease: settings.lease, paid: settlement.answer != nil || settlement.usage != nil)
        while true {
            do {
                let outcome = try await store.settle(settlement, now: clock.now())
                report(settlement.key, outcome)
                return outcome
            } catch {
                let stopping = runState.current
                let held =
                    inFlight.leaseUntil(settlement.key).map { !$0.hasPassed(at: clock.now().moment) } ?? false
                guard let delay = patience.delay(after: error, leaseHeld: held, order: stopping) else {
                    giveUp(settlement.key, error)
                    return nil
                }
                log.of(settlement.key).warning(
                    "settlement failed, again soon", ["error": "\(error)", "delay_ms": .int(Int(delay))])
                await pause(delay)
            }
        }
    }

    private func report(_ key: AttemptKey, _ outcome: SettleOutcome) {
        guard outcome == .late else { return }
        log.of(key).notice("attempt settled late")
    }

    private func giveUp(_ key: AttemptKey, _ error: any Error) {
        log.of(key).error("settlement given up, the lease will expire", ["error": "\(error)"])
    }
}

/// How long a settlement that fails is tried again.
///
/// For a full or failing disk: while the lease lasts, and where money was spent until the worker is told to
/// stop.
/// For any other error: as long as a lease, lest one row that can never be written hold its slot for ever.
struct SettlePatience {
    let lease: Milliseconds
    let paid: Bool
    private var spent: Milliseconds = 0
    private var backoff = Backoff(cap: 2000)

    init(lease: Milliseconds, paid: Bool) {
        self.lease = lease
        self.paid = paid
    }

    /// The pause before the next try; nil to give up.
    mutating func delay(after error: any Error, leaseHeld: Bool, order: RunState.Phase) -> Milliseconds? {
        guard order != .stop else { return nil }
        let error = error as? JobStoreError
        guard error?.code != .closed else { return nil }
        let worthwhile = error?.mayPass == true && (leaseHeld || paid) && order == .work
        guard worthwhile || spent < lease else { return nil }
        let delay = backoff.next()
        spent += delay
        return delay
    }
}
