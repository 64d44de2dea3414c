import CSQLite

extension Connection {
    /// Runs the closure over one unchanging view of the database.
    ///
    /// A statement that still runs after the time limit throws `interrupted`.
    package func snapshot<T>(limitSeconds: Double? = nil, _ body: () throws -> T) throws -> T {
        if let limitSeconds { notes.pointee.deadline_ns = csqlite_monotonic_ns() + Int64(limitSeconds * 1e9) }
        defer { notes.pointee.deadline_ns = 0 }
        try run("BEGIN")
        defer { rollback() }
        return try body()
    }

    /// Nil if the closure's statements have taken more than about so many steps of SQLite's machine.
    ///
    /// They are counted in ten thousands: a millisecond or less. The closure must only read.
    package func within<T>(steps: Int, _ body: () throws -> T) throws -> T? {
        precondition(notes.pointee.looks_left == 0, "one limit of steps at a time")
        notes.pointee.looks_left = Int64(max(1, steps / Int(csqlite_look_steps)))
        notes.pointee.has_spent = 0
        defer { notes.pointee.looks_left = 0 }
        do {
            return try body()
        } catch let error as SQLiteError
            where error.code == SQLiteError.interrupted && notes.pointee.has_spent != 0
        {
            return nil
        }
    }

    /// Undoes what the closure did if it throws, and leaves the transaction around it open.
    ///
    /// It must be in one: only the writer commits.
    package func savepoint<T>(_ body: () throws -> T) throws -> T {
        precondition(isInTransaction, "a savepoint outside of a transaction would commit")
        try run("SAVEPOINT part")
        do {
            let value = try body()
            try run("RELEASE part")
            return value
        } catch {
            // Some errors (a full disk, an I/O error) have undone the whole transaction already.
            guard isInTransaction else { throw error }
            do {
                try run("ROLLBACK TO part")
                try run("RELEASE part")
            } catch {
                // The part's changes must not be committed with the rest.
                rollback()
            }
            throw error
        }
    }

    /// Ends the transaction without its changes; nothing to do when SQLite has rolled back by itself.
    func rollback() {
        guard isInTransaction else { return }
        // A failed ROLLBACK has rolled back all the same: https://sqlite.org/lang_transaction.html
        _ = try? run("ROLLBACK")
    }
}
