import Synchronization

/// Calls of a verb on their way to a store's transaction: those that wait when it comes to them are done in one operation.
///
/// What they share is then read once and written once for all of them.
package final class OperationBatcher<Entry: Sendable>: Sendable {
    private struct State {
        var waiting: [Entry] = []
        /// Operations in the writer's mailbox that will come for them.
        var operations = 0
    }

    /// Entries of one operation.
    private let limit: Int
    private let state = Mutex(State())

    package init(limit: Int) {
        self.limit = limit
    }

    /// Returns whether an operation must be sent for it.
    package func join(_ entry: Entry) -> Bool {
        state.withLock { state in
            state.waiting.append(entry)
            guard state.waiting.count > state.operations * limit else { return false }
            state.operations += 1
            return true
        }
    }

    /// For one of the operations: those that it does.
    private func take() -> [Entry] {
        state.withLock { state in
            state.operations -= 1
            let taken = Array(state.waiting.prefix(limit))
            state.waiting.removeFirst(taken.count)
            return taken
        }
    }

    /// The entries of one operation, which may run more than once: taken at its first run.
    package final class Group: Sendable {
        private let batcher: OperationBatcher
        private let taken = Mutex<[Entry]?>(nil)

        package init(_ batcher: OperationBatcher) {
            self.batcher = batcher
        }

        package var entries: [Entry] {
            taken.withLock { taken in
                let entries = taken ?? batcher.take()
                taken = entries
                return entries
            }
        }
    }
}
