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

/// The routes and queues that an operation's settlements change: loaded once, written back once.
final class RowCache {
    private let connection: Connection
    private var routes: [Int64: RouteRow] = [:]
    private var queues: [Int64: QueueRow] = [:]
    private var someKeyIsRefused: Bool?

    init(_ connection: Connection) {
        self.connection = connection
    }

    func route(_ id: Int64) throws -> RouteRow? {
        try routes[id] ?? RouteRow.load(id, connection)
    }

    func queue(_ id: Int64) throws -> QueueRow? {
        try queues[id] ?? QueueRow.load(id, connection)
    }

    /// Whether some provider refuses a key; read once for all that are closed together.
    func aKeyIsRefused() throws -> Bool {
        if let someKeyIsRefused { return someKeyIsRefused }
        let found = try CredentialRow.anyIsRefused(connection)
        someKeyIsRefused = found
        return found
    }

    func noteRefusedKey() {
        someKeyIsRefused = true
    }

    /// To be written back.
    func keep(_ route: RouteRow) {
        routes[route.id] = route
    }

    /// The same for a queue.
    func keep(_ queue: QueueRow) {
        queues[queue.id] = queue
    }

    func save() throws {
        for route in routes.values { try route.save(connection) }
        for queue in queues.values { try queue.save(connection) }
    }
}
