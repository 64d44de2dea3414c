import CSQLite
import CrashPoint
import Glibc

extension Connection {
    /// Applies the settings of a mode, in an order that matters.
    ///
    /// `auto_vacuum` can be chosen only while the file is empty, and switching to WAL writes its first page.
    func settle(as mode: Mode) throws(SQLiteError) {
        if mode == .sole { try execute("PRAGMA locking_mode = EXCLUSIVE") }
        if mode != .read {
            try retryingWhileBusy { () throws(SQLiteError) in
                // Only then: on a file that has the setting already, it would write it again at each opening.
                let isEmpty = try text(of: "PRAGMA page_count") == "0"
                if isEmpty { try execute("PRAGMA auto_vacuum = INCREMENTAL") }
            }
            crashPoint("database-made")
            try retryingWhileBusy { () throws(SQLiteError) in try switchToWAL() }
        }
        // FULL: what is acknowledged has reached the disk.
        // secure_delete: Debian's default zeroes freed pages, which costs a write each; FAST does it if it is free.
        // mmap_size 0: a mapped file turns an I/O error into a signal.
        try execute(
            """
            PRAGMA synchronous = FULL;
            PRAGMA foreign_keys = ON;
            PRAGMA temp_store = MEMORY;
            PRAGMA journal_size_limit = 67108864;
            PRAGMA secure_delete = FAST;
            PRAGMA mmap_size = 0;
            """)
        switch mode {
        case .write, .sole: try execute("PRAGMA cache_size = -8000")
        case .read: try execute("PRAGMA cache_size = -2000; PRAGMA query_only = ON")
        }
    }

    private func switchToWAL() throws(SQLiteError) {
        let mode = try text(of: "PRAGMA journal_mode = WAL")
        // A database in memory has no log, and needs none.
        guard mode == "wal" || mode == "memory" else {
            throw SQLiteError(code: SQLITE_CANTOPEN, message: "the file cannot be used in WAL mode")
        }
    }

    /// Several processes may create the file at once, and the switch to WAL does not ask the busy handler.
    private func retryingWhileBusy(_ body: () throws(SQLiteError) -> Void) throws(SQLiteError) {
        let deadline = csqlite_monotonic_ns() + notes.pointee.wait_limit_ns
        while true {
            do throws(SQLiteError) {
                return try body()
            } catch {
                guard error.primaryCode == SQLiteError.busy, csqlite_monotonic_ns() < deadline else {
                    throw error
                }
                usleep(500)
            }
        }
    }
}
