import Jobs
import SQLite
import Synchronization

/// Settlements on their way to the writer: those that wait when it comes to them are closed in one operation.
///
/// What they share (the route, the queue, the tallies) is then read once and written once for all of them.
final class SettleBatcher: Sendable {
    struct Entry: Sendable {
        let settlement: Settlement
        let now: Now
        let done: CheckedContinuation<Settled, any Error>
    }

    /// What became of one, and what its operation has to tell.
    struct Settled: Sendable {
        var outcome: SettleOutcome
        var events: [StoredEvent]
        var notices: [StateNotice]
    }

    private struct State {
        var waiting: [Entry] = []
        /// Operations in the writer's mailbox that will come for them.
        var operations = 0
    }

    /// Settlements of one operation: some milliseconds of the write lock.
    private static let limit = 128

    private let state = Mutex(State())

    /// Returns whether an operation must be sent for it.
    func join(_ entry: Entry) -> Bool {
        state.withLock { state in
            state.waiting.append(entry)
            guard state.waiting.count > state.operations * Self.limit else { return false }
            state.operations += 1
            return true
        }
    }

    /// For one of the operations: those that it closes.
    func take() -> [Entry] {
        state.withLock { state in
            state.operations -= 1
            let taken = Array(state.waiting.prefix(Self.limit))
            state.waiting.removeFirst(taken.count)
            return taken
        }
    }
}

/// The settlements of one operation, which may run more than once: taken at its first run.
final class SettleGroup: Sendable {
    private let line: SettleBatcher
    private let taken = Mutex<[SettleBatcher.Entry]?>(nil)

    init(_ line: SettleBatcher) {
        self.line = line
    }

    var entries: [SettleBatcher.Entry] {
        taken.withLock { taken in
            let entries = taken ?? line.take()
            taken = entries
            return entries
        }
    }
}
