import CSQLite

/// Which SQLite is loaded at run time.
package enum SQLiteVersion {
    /// For example "3.40.1".
    package static let current = String(cString: sqlite3_libversion())

    /// Whether this version can lose committed data when a connection checkpoints while another writes.
    ///
    /// `Checkpoint` keeps the two apart; the exposure is to other programs that open the file meanwhile.
    /// Since 3.7.0, fixed in 3.51.3: https://sqlite.org/wal.html
    package static let hasWALResetBug = hasWALResetBug(inVersion: sqlite3_libversion_number())

    static func hasWALResetBug(inVersion number: Int32) -> Bool {
        (3_007_000..<3_051_003).contains(number)
    }
}
