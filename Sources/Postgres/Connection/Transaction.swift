extension Statement {
    fileprivate static let begin = Statement("begin", "BEGIN ISOLATION LEVEL READ COMMITTED")
    fileprivate static let beginReading = Statement(
        "begin-reading", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    fileprivate static let rollback = Statement("rollback", "ROLLBACK")
    fileprivate static let commit = Statement("commit", "COMMIT")
}

/// What a transaction sees of others.
package enum TransactionKind: Sendable {
    /// Each statement sees what was committed before it.
    case writing
    /// Writes nothing, and sees all tables as they were at its first statement.
    case snapshot
}

/// A transaction of several round trips: BEGIN goes out with the first of them, and COMMIT with the last.
package final class Transaction {
    private let connection: Connection
    private let kind: TransactionKind
    private let limits: TripLimits
    private var hasBegun = false
    fileprivate private(set) var hasCommitted = false

    fileprivate init(_ connection: Connection, _ kind: TransactionKind, _ limits: TripLimits) {
        self.connection = connection
        self.kind = kind
        self.limits = limits
    }

    /// A round trip in the transaction; after an error all that is left is to leave it.
    @discardableResult
    package func run(_ calls: [Call]) throws(PostgresError) -> [Rows] {
        try run(Batch(opening + calls, mayCommit: false), answers: calls.count)
    }

    /// The last round trip: what it returns stands.
    @discardableResult
    package func commit(_ calls: [Call] = []) throws(PostgresError) -> [Rows] {
        precondition(!hasCommitted, "a transaction commits once")
        var rows = try run(Batch(opening + calls + [Call(.commit)]), answers: calls.count + 1)
        let tag = rows.removeLast().tag
        // After an error that somebody swallowed, the server takes COMMIT for ROLLBACK.
        guard tag == "COMMIT" else {
            throw PostgresError(.refused, "the transaction had failed before it was committed")
        }
        hasCommitted = true
        return rows
    }

    private var opening: [Call] {
        hasBegun ? [] : [Call(kind == .snapshot ? .beginReading : .begin)]
    }

    private func run(_ batch: Batch, answers: Int) throws(PostgresError) -> [Rows] {
        hasBegun = true
        return try connection.run(batches: [batch], limits: limits)[0].get().suffix(answers)
    }

    fileprivate func rollBack() {
        guard connection.isUsable, connection.hasOpenTransaction else { return }
        if case .failure = connection.run(batches: [Batch([Call(.rollback)])], limits: limits)[0] {
            connection.isUsable = false
        }
    }
}

extension Connection {
    /// Runs the closure in a transaction, which is undone if it throws, and committed if the closure has not done so itself.
    ///
    /// Throws `unknownOutcome` if the connection broke, or the server warned, after COMMIT was sent; anything else says that nothing
    /// of it stands.
    @discardableResult
    package func transaction<T>(
        _ kind: TransactionKind = .writing, limits: TripLimits = TripLimits(),
        _ body: (Transaction) throws -> T
    ) throws -> T {
        precondition(!isInTransaction, "there is one transaction at a time")
        isInTransaction = true
        defer { isInTransaction = false }
        let transaction = Transaction(self, kind, limits)
        do {
            let value = try body(transaction)
            if !transaction.hasCommitted { try transaction.commit() }
            return value
        } catch {
            transaction.rollBack()
            throw error
        }
    }
}
