import CSQLite

/// Why SQLite, or this module, refused.
package struct SQLiteError: Error, Equatable, Sendable {
    /// SQLite's extended result code, or one of this module's own, which are negative.
    package let code: Int32
    /// One sentence without bound values.
    package let message: String
    /// The statement, with placeholders in place of its values.
    package let sql: String?

    package init(code: Int32, message: String, sql: String? = nil) {
        self.code = code
        self.message = message
        self.sql = sql
    }

    /// The code's family: `constraint` for every broken constraint, `busy` for every kind of busy.
    package var primaryCode: Int32 { code < 0 ? code : code & 0xff }
}

// Families, to be compared with `primaryCode`.
extension SQLiteError {
    package static let busy = SQLITE_BUSY
    package static let readOnly = SQLITE_READONLY
    package static let interrupted = SQLITE_INTERRUPT
    package static let ioError = SQLITE_IOERR
    package static let corrupt = SQLITE_CORRUPT
    package static let full = SQLITE_FULL
    package static let cannotOpen = SQLITE_CANTOPEN
    package static let constraint = SQLITE_CONSTRAINT
    package static let misuse = SQLITE_MISUSE
    package static let range = SQLITE_RANGE
    package static let notADatabase = SQLITE_NOTADB
}

// Extended codes, to be compared with `code`.
extension SQLiteError {
    package static let constraintUnique = csqlite_constraint_unique
    package static let syncFailed = csqlite_sync_failed
}

// This module's own.
extension SQLiteError {
    /// The writer or the readers were closed.
    package static let closed: Int32 = -1
    /// More operations wait than the mailbox holds.
    package static let overloaded: Int32 = -2
    /// The volume cannot keep several processes apart.
    package static let unsafeVolume: Int32 = -3
    /// The system refused something: a thread, a descriptor, a file.
    package static let system: Int32 = -4
    /// The log beside the file is another file's, or the file is damaged.
    package static let foreignLog: Int32 = -5
    /// There was a database, and only what belongs to it is left.
    package static let missingDatabase: Int32 = -6
    /// The file is no longer where it was opened.
    package static let moved: Int32 = -7
    /// Others have the file open where it is to be had alone, or one has it alone.
    package static let inUse: Int32 = -8
}

extension SQLiteError: CustomStringConvertible {
    package var description: String {
        if code < 0 { return message }
        let place = sql.map { " in: \($0)" } ?? ""
        return "\(message) (SQLite code \(code))\(place)"
    }
}
