import CSQLite

/// One connection to a database file, with the settings under which many processes may share it.
///
/// It belongs to one thread at a time. `Writer` and `Readers` own threads and lend their connections to
/// closures; commands that run alone may open one of their own. Statements are prepared once and kept.
package final class Connection {
    /// What a connection is for, which decides what it may do and how much memory it keeps.
    package enum Mode: Sendable {
        /// Reads and writes; creates the file, in WAL mode and with incremental auto-vacuum, if it is absent.
        case write
        /// Reads; the file must exist.
        case read
        /// As `write`, with the file to itself as long as it lives; others that have it open make it `busy` before long.
        case sole
    }

    let handle: OpaquePointer
    /// Lives as long as the handle: C callbacks write to it.
    let notes: UnsafeMutablePointer<csqlite_notes>
    private var kept = StatementCache()
    private var files = ConnectionFiles()
    /// Whether a statement that may write has run since the mark was last cleared.
    var hasWritten = false
    /// Statements that were run, for tests of how many a task needs.
    package internal(set) var uses = 0
    /// What its owner has read from the file and keeps in memory, beside the connection that it belongs to.
    package var memory: AnyObject?

    /// How long a lock held by another process is waited for before the caller sees `busy`: longer than a checkpoint of a long
    /// log holds it, with a crowd of others that go first.
    package static let lockWaitSeconds = 20
    /// How long others may take to leave: threads that are ending.
    private static let soleWaitSeconds = 2

    private static let configured: Void = { _ = csqlite_configure() }()

    /// Opens the file and applies the settings; refuses volumes on which SQLite would lose data.
    package init(path: String, mode: Mode = .write, checksVolume: Bool = true) throws(SQLiteError) {
        Self.configured
        if checksVolume { try Volume.check(holding: path) }
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (mode == .read ? 0 : SQLITE_OPEN_CREATE)
        var opened: OpaquePointer?
        let status = sqlite3_open_v2(path, &opened, flags, nil)
        guard status == SQLITE_OK, let opened else {
            // A handle comes back even from a failed open, with the message in it.
            let message = opened.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
            sqlite3_close_v2(opened)
            throw SQLiteError(code: status, message: "cannot open \(path): \(message)")
        }
        handle = opened
        notes = .allocate(capacity: 1)
        notes.initialize(to: csqlite_notes())
        let patience = mode == .sole ? Self.soleWaitSeconds : Self.lockWaitSeconds
        notes.pointee.wait_limit_ns = Int64(patience) * 1_000_000_000
        let hardened = csqlite_harden(handle)
        guard hardened == SQLITE_OK else { throw failure(hardened, sql: nil) }
        csqlite_install(handle, notes)
        try settle(as: mode)
    }

    deinit {
        kept.removeAll()
        sqlite3_close_v2(handle)
        notes.deallocate()
    }

    /// Rows that the last INSERT, UPDATE or DELETE touched.
    package var changes: Int { Int(sqlite3_changes64(handle)) }
    package var lastInsertRowID: Int64 { sqlite3_last_insert_rowid(handle) }
    package var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }
    /// The longest that this connection has waited for a lock, in seconds.
    package var longestLockWait: Double { Double(notes.pointee.longest_wait_ns) / 1e9 }

    /// Whether the file is no longer where it was opened: what is written now is lost.
    package var hasMoved: Bool {
        var moved: Int32 = 0
        let status = sqlite3_file_control(handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved)
        return status == SQLITE_OK && moved != 0
    }

    /// Throws `moved` if the files are no longer those that it was opened on.
    func checkFiles() throws(SQLiteError) { try files.check(self) }

    func failure(_ status: Int32, sql: SQL?) -> SQLiteError {
        if status == SQLITE_RANGE {
            return SQLiteError(
                code: status, message: "one value is needed for each placeholder", sql: sql?.text)
        }
        return SQLiteError(code: status, message: String(cString: sqlite3_errmsg(handle)), sql: sql?.text)
    }

    /// The kept statement for this text, or a passing one while the kept one is on a row.
    func statement(_ sql: SQL) throws(SQLiteError) -> Statement {
        if let statement = kept[sql], !statement.inUse { return statement }
        let statement = try prepare(sql)
        if kept[sql] == nil { kept.keep(statement, for: sql) }
        return statement
    }

    private func prepare(_ sql: SQL) throws(SQLiteError) -> Statement {
        var text = sql.text
        var prepared: OpaquePointer?
        let (status, rest) = text.withUTF8 { bytes -> (Int32, Bool) in
            guard let start = bytes.baseAddress else { return (SQLITE_OK, false) }
            return start.withMemoryRebound(to: CChar.self, capacity: bytes.count) { start in
                var tail: UnsafePointer<CChar>?
                let flags = UInt32(SQLITE_PREPARE_PERSISTENT)
                let status = sqlite3_prepare_v3(handle, start, Int32(bytes.count), flags, &prepared, &tail)
                let used = tail.map { $0 - start } ?? bytes.count
                return (status, bytes[used...].contains { $0 > 0x20 && $0 != UInt8(ascii: ";") })
            }
        }
        guard status == SQLITE_OK else { throw failure(status, sql: sql) }
        guard let prepared else { throw SQLiteError(code: SQLITE_MISUSE, message: "no statement", sql: text) }
        let statement = Statement(prepared)
        if rest { throw SQLiteError(code: SQLITE_MISUSE, message: "more than one statement", sql: text) }
        return statement
    }
}
