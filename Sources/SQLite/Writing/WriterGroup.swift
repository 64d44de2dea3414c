import CSQLite
import CrashPoint

/// One operation in the mailbox.
struct WriterOperation: Sendable {
    let run: @Sendable (Connection) throws -> WriterOutcome
    let refuse: @Sendable (any Error) -> Void
    /// Whether some of its outcomes need no sync.
    let mayWait: Bool
}

/// What an operation came to; `complete` gives it to the caller once it is committed.
struct WriterOutcome: Sendable {
    let needsSync: Bool
    let complete: @Sendable () -> Void
}

/// Runs operations in shared transactions and keeps the failure of one from spoiling the others.
///
/// A savepoint around each operation would copy every page it touches, to be able to undo it. Operations
/// rarely throw, and more rarely after they have written; so a group runs without savepoints first. One that
/// throws before writing leaves nothing to undo. One that throws afterwards undoes the whole group, which
/// then runs again with savepoints.
struct WriterGroup {
    private enum Attempt {
        /// That many operations have their outcome.
        case done(Int)
        case needsSavepoints
        /// The transaction was undone as a whole.
        case failed(any Error)
        /// The write lock was not to be had.
        case neverBegan(any Error)
    }

    let connection: Connection
    let log: LogSync
    let hooks: WriterHooks
    let counters: WriterCounters

    /// After that long a transaction takes no further operation, so that other processes get their turn.
    private static let transactionLimitNanoseconds: Int64 = 25_000_000

    func run(_ operations: [WriterOperation]) {
        var rest = operations[...]
        while !rest.isEmpty {
            var attempt = attempt(rest, withSavepoints: false)
            if case .needsSavepoints = attempt { attempt = self.attempt(rest, withSavepoints: true) }
            switch attempt {
            case .done(let count):
                rest = rest.dropFirst(count)
            case .failed(let error) where rest.count == 1:
                rest.first?.refuse(error)
                return
            case .failed, .needsSavepoints:
                return runSingly(rest)
            case .neverBegan(let error):
                // Whoever holds the lock will not give it to each of them either.
                return rest.forEach { $0.refuse(error) }
            }
        }
    }

    private func runSingly(_ operations: ArraySlice<WriterOperation>) {
        for (index, operation) in operations.indices.lazy.map({ ($0, operations[$0]) }) {
            switch attempt(operations[index...index], withSavepoints: true) {
            case .done: continue
            case .failed(let error): operation.refuse(error)
            case .needsSavepoints: preconditionFailure("it had one")
            case .neverBegan(let error):
                return operations[index...].forEach { $0.refuse(error) }
            }
        }
    }

    private func attempt(_ operations: ArraySlice<WriterOperation>, withSavepoints: Bool) -> Attempt {
        // The write lock at once: what begins by reading and then writes fails with `busySnapshot` when another process
        // has written meanwhile, however long it waited.
        do throws(SQLiteError) {
            try connection.checkFiles()
            try log.commitsShallSync(log.millisecondsLeft == 0 || operations.contains { !$0.mayWait })
            try connection.run("BEGIN IMMEDIATE")
        } catch {
            return .neverBegan(error)
        }
        let start = csqlite_monotonic_ns()
        var outcomes: [(operation: WriterOperation, outcome: WriterOutcome)] = []
        outcomes.reserveCapacity(operations.count)
        let wrote: Bool
        for operation in operations {
            do {
                outcomes.append((operation, try run(operation, withSavepoints)))
            } catch {
                counters.note(error)
                guard connection.isInTransaction else { return undone(.failed(error)) }
                if connection.hasWritten, !withSavepoints {
                    return undone(operations.count == 1 ? .failed(error) : .needsSavepoints)
                }
                hooks.operationUndone?()
                // Answered after the commit: what made it throw may be a neighbour's change, which must be committed first.
                outcomes.append((operation, WriterOutcome(needsSync: false) { operation.refuse(error) }))
            }
            if csqlite_monotonic_ns() - start > Self.transactionLimitNanoseconds { break }
        }
        do { wrote = try commit() } catch {
            counters.note(error)
            log.note(error)
            return undone(.failed(error))
        }
        if wrote { log.committed() }
        counters.count(operations: outcomes.count, wrote: wrote, since: start, on: connection)
        answer(outcomes)
        return .done(outcomes.count)
    }

    /// What needs a sync that its commit did not bring gets it first.
    private func answer(_ outcomes: [(operation: WriterOperation, outcome: WriterOutcome)]) {
        var refusal: (any Error)?
        if log.isBehind, outcomes.contains(where: \.outcome.needsSync) {
            do { try log.sync() } catch {
                counters.note(error)
                refusal = error
            }
        }
        for (operation, outcome) in outcomes {
            if let refusal, outcome.needsSync { operation.refuse(refusal) } else { outcome.complete() }
        }
    }

    private func run(_ operation: WriterOperation, _ withSavepoint: Bool) throws -> WriterOutcome {
        hooks.operationBegins?()
        connection.hasWritten = false
        // An operation that commits would commit its neighbours, which might then be run again.
        connection.notes.pointee.forbids_commit = 1
        defer { connection.notes.pointee.forbids_commit = 0 }
        let outcome =
            try withSavepoint
            ? connection.savepoint { try operation.run(connection) } : operation.run(connection)
        if connection.isInTransaction { return outcome }
        throw SQLiteError(
            code: SQLiteError.misuse, message: "an operation ended the transaction it was part of")
    }

    /// Returns whether anything was written: only then the log's length is noted.
    private func commit() throws -> Bool {
        try hooks.beforeCommit?(connection)
        let pages = connection.notes.pointee.wal_pages
        connection.notes.pointee.wal_pages = -1
        defer { if connection.notes.pointee.wal_pages < 0 { connection.notes.pointee.wal_pages = pages } }
        crashPoint("commit-before")
        try connection.run("COMMIT")
        crashPoint("commit-after")
        hooks.committed?()
        return connection.notes.pointee.wal_pages >= 0
    }

    private func undone(_ attempt: Attempt) -> Attempt {
        connection.rollback()
        hooks.transactionUndone?()
        return attempt
    }
}
