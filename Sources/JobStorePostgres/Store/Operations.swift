import Jobs
import Postgres
import StoreRules
import Synchronization

/// Operations on their way to a transaction: those that wait when the session comes to them share it, and its commit.
///
/// If the transaction is undone, each of them runs again by itself: an operation may run more than once before its one outcome.
final class Operations: Sendable {
    private struct Operation: Sendable {
        let turn: Turn
        let settings: StoreSettings
        /// What it asks first; see `WriteContext.asked`.
        let first: @Sendable () -> [Call]
        let run: @Sendable (WriteContext) throws -> Void
        let done: @Sendable ((any Error)?) -> Void
        /// How often a connection was lost under it.
        var losses = 0
    }

    private struct State {
        var waiting: [Operation] = []
        /// Whether a unit of the session's will come for them.
        var isScheduled = false
    }

    /// Operations of one transaction.
    private static let limit = 64
    /// How often a transaction that others undid is tried.
    private static let attempts = 5
    /// How often a transaction whose connection was lost before its commit is tried over another one.
    private static let losses = 3

    private let session: Session
    private let time: DatabaseTime
    private let numbers: Numbers
    private let marks: CommitMarks
    private let schema: SchemaWatch
    private let state = Mutex(State())

    init(_ session: Session, time: DatabaseTime, numbers: Numbers, schema: SchemaWatch) {
        self.schema = schema
        self.session = session
        marks = CommitMarks()
        self.time = time
        self.numbers = numbers
    }

    /// Returns what the operation's last run returned, once its transaction is committed.
    func run<T: Sendable>(
        _ turn: Turn, _ settings: StoreSettings, _ body: @escaping @Sendable (WriteContext) throws -> T
    ) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            submit(turn, settings, body) { continuation.resume(with: $0) }
        }
    }

    func submit<T: Sendable>(
        _ turn: Turn, _ settings: StoreSettings, asking first: @escaping @Sendable () -> [Call] = { [] },
        _ body: @escaping @Sendable (WriteContext) throws -> T,
        completion: @escaping @Sendable (Result<T, any Error>) -> Void
    ) {
        let last = Last<T>()
        submit(
            Operation(turn: turn, settings: settings, first: first) { context in
                last.value.withLock { $0 = nil }
                let result = try body(context)
                last.value.withLock { $0 = result }
            } done: { error in
                let value = last.value.withLock { $0 }
                let missing = JobStoreError(.internal, "an operation was committed that never ran")
                completion(error.map { .failure($0) } ?? value.map { .success($0) } ?? .failure(missing))
            })
    }

    private final class Last<T: Sendable>: Sendable {
        let value = Mutex<T?>(nil)
    }

    private func submit(_ operation: Operation) {
        let schedules = state.withLock { state in
            state.waiting.append(operation)
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if schedules { schedule() }
    }

    private func schedule() {
        session.submit { [self] result in
            let (group, more) = take()
            if more { schedule() }
            perform(group, on: result)
        }
    }

    private func perform(_ group: [Operation], on result: Result<Connection, PostgresError>) {
        switch result {
        case .success(let connection): perform(group, on: connection)
        case .failure(let error): for operation in group { operation.done(error) }
        }
    }

    /// Those that wait for the same turn as the first.
    private func take() -> (group: [Operation], more: Bool) {
        state.withLock { state in
            let turn = state.waiting.first?.turn
            let group = Array(state.waiting.prefix(Self.limit).prefix { $0.turn == turn })
            state.waiting.removeFirst(group.count)
            state.isScheduled = !state.waiting.isEmpty
            return (group, state.isScheduled)
        }
    }

    private func perform(_ group: [Operation], on connection: Connection) {
        let mark = marks.next()
        do {
            try transact(group, mark, connection)
            for operation in group { operation.done(nil) }
        } catch let error as PostgresError where error.kind == .unknownOutcome {
            numbers.forget()
            marks.leaveRow()
            resolve(group, mark)
        } catch let error as PostgresError where error.kind == .again && !connection.isUsable {
            numbers.forget()
            repeatElsewhere(group, error)
        } catch  where group.count > 1 && connection.isUsable {
            // One that fails must not spoil its neighbours.
            for operation in group { perform([operation], on: connection) }
        } catch {
            for operation in group { operation.done(error) }
        }
    }

    /// Nothing of them stands, as the connection was lost before the commit.
    private func repeatElsewhere(_ group: [Operation], _ error: PostgresError) {
        let group = group.map { operation in
            var operation = operation
            operation.losses += 1
            return operation
        }
        for operation in group where operation.losses >= Self.losses { operation.done(error) }
        let rest = group.filter { $0.losses < Self.losses }
        if !rest.isEmpty { session.submit { [self] result in perform(rest, on: result) } }
    }

    private func transact(_ group: [Operation], _ mark: CommitMarks.Mark, _ connection: Connection) throws {
        guard let first = group.first else { return }
        for attempt in 1...Self.attempts {
            do {
                var told: (events: [StoredEvent], notices: [StateNotice]) = ([], [])
                try connection.transaction { transaction in
                    let access = Access(transaction)
                    let opening = try Opening(access, time, schema, first.turn, asking: first.first())
                    told = try apply(opening.closings, access, opening, first.settings)
                    for (place, operation) in group.enumerated() {
                        let context = WriteContext(
                            access, now: opening.now, settings: operation.settings, numbers: numbers,
                            permit: opening.permit)
                        // What a neighbour changed meanwhile is not in what the others asked.
                        if place == 0 { context.asked = opening.asked }
                        try operation.run(context)
                    }
                    if access.writes { mark.write(access, at: opening.now.timestamp) }
                    try access.commit()
                }
                return first.settings.report(told.events, told.notices)
            } catch let error as PostgresError where error.mayRunAgain && attempt < Self.attempts {
                guard connection.isUsable else { throw error }
            }
        }
    }

    /// What settlements said to shared rows, before anything is decided by these.
    private func apply(
        _ closings: [SharedClosing], _ access: Access, _ opening: Opening, _ settings: StoreSettings
    ) throws -> (events: [StoredEvent], notices: [StateNotice]) {
        guard !closings.isEmpty else { return ([], []) }
        let context = WriteContext(
            access, now: opening.now, settings: settings, numbers: numbers, permit: opening.permit)
        try context.apply(closings)
        try context.flush()
        return (context.events, context.notices)
    }

    /// What became of a transaction whose commit was not answered: it stands and its operations have their results, or they run again.
    private func resolve(_ group: [Operation], _ mark: CommitMarks.Mark) {
        session.submit { [self] result in
            do {
                if try mark.stands(result.get()) {
                    for operation in group { operation.done(nil) }
                } else {
                    perform(group, on: result)
                }
            } catch let again as PostgresError where again.kind == .unknownOutcome || again.kind == .again {
                resolve(group, mark)
            } catch {
                for operation in group { operation.done(error) }
            }
        }
    }
}

extension PostgresError {
    /// Others came in between: what was read is no more, or a name that was free is taken.
    fileprivate var mayRunAgain: Bool {
        kind == .again || state == Self.uniqueViolation || state == Self.changedMeanwhile
    }

    private static let uniqueViolation = "23505"
    /// A division by zero, which statements provoke that find fewer rows than were read.
    private static let changedMeanwhile = "22012"
}
