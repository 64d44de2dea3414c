package import Jobs

/// A settlement on its way to a store's transaction.
package struct SettleEntry: Sendable {
    /// Settlements of one operation: some milliseconds of the store's lock.
    package static let limit = 128

    package let settlement: Settlement
    /// When it was handed in.
    package let now: Now
    package let done: CheckedContinuation<SettleResult, any Error>

    package init(settlement: Settlement, now: Now, done: CheckedContinuation<SettleResult, any Error>) {
        self.settlement = settlement
        self.now = now
        self.done = done
    }
}

/// What became of a settlement, and what its operation has to tell.
package struct SettleResult: Sendable {
    package let outcome: SettleOutcome
    package let events: [StoredEvent]
    package let notices: [StateNotice]

    package init(outcome: SettleOutcome, events: [StoredEvent], notices: [StateNotice]) {
        self.outcome = outcome
        self.events = events
        self.notices = notices
    }
}
