import CSQLite

extension Connection {
    /// Runs a statement to its end and returns how many rows it changed; rows it yields are passed over.
    ///
    /// Values go to the placeholders ?1, ?2, … in order, one for each.
    @discardableResult
    package func run(_ sql: SQL, _ values: [Value] = []) throws(SQLiteError) -> Int {
        let statement = try statement(sql)
        noteUse(of: statement)
        let status = statement.use(values) { bindStatus in
            guard bindStatus == SQLITE_OK else { return bindStatus }
            var status = sqlite3_step(statement.handle)
            while status == SQLITE_ROW { status = sqlite3_step(statement.handle) }
            return status
        }
        guard status == SQLITE_DONE else { throw failure(status, sql: sql) }
        return statement.readsOnly ? 0 : changes
    }

    /// All rows, decoded one by one; the closure must not keep the row.
    package func query<T>(_ sql: SQL, _ values: [Value] = [], _ decode: (borrowing Row) throws -> T) throws
        -> [T]
    {
        var rows: [T] = []
        try forEach(sql, values) { row in rows.append(try decode(row)) }
        return rows
    }

    /// Calls the closure with each row; what it throws ends the statement.
    package func forEach(_ sql: SQL, _ values: [Value] = [], _ body: (borrowing Row) throws -> Void) throws {
        let statement = try statement(sql)
        noteUse(of: statement)
        try statement.use(values) { bindStatus in
            guard bindStatus == SQLITE_OK else { throw failure(bindStatus, sql: sql) }
            while try step(statement, sql) { try body(Row(statement.handle)) }
        }
    }

    /// The first row, or nil when there is none.
    package func queryOne<T>(_ sql: SQL, _ values: [Value] = [], _ decode: (borrowing Row) throws -> T) throws
        -> T?
    {
        let statement = try statement(sql)
        noteUse(of: statement)
        return try statement.use(values) { bindStatus in
            guard bindStatus == SQLITE_OK else { throw failure(bindStatus, sql: sql) }
            guard try step(statement, sql) else { return nil }
            let value = try decode(Row(statement.handle))
            // What writes and returns rows is run to its end; what only reads need not be.
            if !statement.readsOnly { while try step(statement, sql) {} }
            return value
        }
    }

    /// Whether the query has a row.
    package func exists(_ sql: SQL, _ values: [Value] = []) throws -> Bool {
        try queryOne(sql, values) { _ in true } ?? false
    }

    /// The text of the first column of the only row: what a PRAGMA says.
    func text(of sql: SQL) throws(SQLiteError) -> String {
        let statement = try statement(sql)
        let (status, text) = statement.use([]) { _ in
            let status = sqlite3_step(statement.handle)
            return (status, status == SQLITE_ROW ? Row(statement.handle).text(0) : "")
        }
        guard status == SQLITE_ROW else { throw failure(status, sql: sql) }
        return text
    }

    /// Differs from the last answer when another connection has committed since.
    func dataVersion() throws(SQLiteError) -> String {
        try text(of: "PRAGMA data_version")
    }

    /// Runs statements separated by semicolons, as a migration holds them; nothing is kept or bound.
    package func execute(_ script: String) throws(SQLiteError) {
        hasWritten = true
        var message: UnsafeMutablePointer<CChar>?
        let status = sqlite3_exec(handle, script, nil, nil, &message)
        defer { sqlite3_free(message) }
        guard status == SQLITE_OK else {
            let reason = message.map { String(cString: $0) } ?? "unknown"
            throw SQLiteError(code: status, message: reason, sql: script)
        }
    }

    private func step(_ statement: Statement, _ sql: SQL) throws(SQLiteError) -> Bool {
        switch sqlite3_step(statement.handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let status: throw failure(status, sql: sql)
        }
    }

    private func noteUse(of statement: Statement) {
        uses &+= 1
        if !statement.readsOnly { hasWritten = true }
    }
}
