import Jobs

/// How long a settlement that fails is tried again.
///
/// For a full or failing disk: while the lease lasts, and if money was spent until the worker is told to
/// stop.
/// For any other error: as long as a lease, so that a row that can never be written does not hold its slot for ever.
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
