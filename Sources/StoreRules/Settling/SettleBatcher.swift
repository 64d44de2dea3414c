package import Jobs
import Synchronization

/// Settlements on their way to a store's transaction: those that wait when it comes to them are closed in one operation.
///
/// What they share (the route, the queue, the tallies) is then read once and written once for all of them.
package final class SettleBatcher: Sendable {
    package struct Entry: Sendable {
        package let settlement: Settlement
        /// When it was handed in.
        package let now: Now
        package let done: CheckedContinuation<Settled, any Error>

        package init(
            settlement: Settlement, now: Now, done: CheckedContinuation<Settled, any Error>
        ) {
            self.settlement = settlement
            self.now = now
            self.done = done
        }
    }

    /// What became of one, and what its operation has to tell.
    package struct Settled: Sendable {
        package let outcome: SettleOutcome
        package let events: [StoredEvent]
        package let notices: [StateNotice]

        package init(outcome: SettleOutcome, events: [StoredEvent], notices: [StateNotice]) {
            self.outcome = outcome
            self.events = events
            self.notices = notices
        }
    }

    private struct State {
        var waiting: [Entry] = []
        /// Operations in the writer's mailbox that will come for them.
        var operations = 0
    }

    /// Settlements of one operation: some milliseconds of the store's lock.
    private static let limit = 128

    private let state = Mutex(State())

    package init() {}

    /// Returns whether an operation must be sent for it.
    package func join(_ entry: Entry) -> Bool {
        state.withLock { state in
            state.waiting.append(entry)
            guard state.waiting.count > state.operations * Self.limit else { return false }
            state.operations += 1
            return true
        }
    }

    /// For one of the operations: those that it closes.
    package func take() -> [Entry] {
        state.withLock { state in
            state.operations -= 1
            let taken = Array(state.waiting.prefix(Self.limit))
            state.waiting.removeFirst(taken.count)
            return taken
        }
    }
}

/// The settlements of one operation, which may run more than once: taken at its first run.
package final class SettleGroup: Sendable {
    private let line: SettleBatcher
    private let taken = Mutex<[SettleBatcher.Entry]?>(nil)

    package init(_ line: SettleBatcher) {
        self.line = line
    }

    package var entries: [SettleBatcher.Entry] {
        taken.withLock { taken in
            let entries = taken ?? line.take()
            taken = entries
            return entries
        }
    }
}
