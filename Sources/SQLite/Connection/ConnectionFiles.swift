import CSQLite
import Glibc

/// Whether a connection's files are still those that it was opened on.
///
/// SQLite itself notices neither a file that was overwritten in its place nor a log that was deleted: it goes on writing where
/// no reader will ever look.
struct ConnectionFiles {
    /// The log and its index, once they were seen: as long as anybody has the database open, they stay the same files.
    private var log: DatabaseFiles.Identity?
    private var index: DatabaseFiles.Identity?
    /// The mark in the file's header, once it was seen.
    private var mark: Int32?

    /// Throws `moved` with what has become of the files.
    mutating func check(_ connection: Connection) throws(SQLiteError) {
        guard let name = sqlite3_db_filename(connection.handle, "main") else { return }
        let path = String(cString: name)
        guard !path.isEmpty else { return }
        if connection.hasMoved {
            throw Self.moved(
                "\(path) was moved, deleted or replaced while it is in use",
                "Put it back, or stop this process and start it anew")
        }
        try Self.checkSame(path + "-wal", &log)
        try Self.checkSame(path + "-shm", &index)
        try checkMark(connection, path)
    }

    private static func checkSame(
        _ path: String, _ known: inout DatabaseFiles.Identity?
    ) throws(SQLiteError) {
        let found = DatabaseFiles.identity(of: path)
        guard let before = known else {
            known = found
            return
        }
        guard found != before else { return }
        throw moved(
            "\(path) was \(found == nil ? "deleted or moved" : "replaced") while it is in use: it holds what was written last",
            "Put it back if it was moved; else stop all servers and workers and start them anew")
    }

    private mutating func checkMark(_ connection: Connection, _ path: String) throws(SQLiteError) {
        guard let found = Self.mark(of: connection) else {
            // Never seen, as in memory or through another file system; or no database any more.
            guard mark != nil else { return }
            throw Self.overwritten(path)
        }
        guard let before = mark else {
            mark = found
            return
        }
        guard found != before else { return }
        // The one that opened it first may have written its mark a moment after this connection looked.
        guard LogRecord.read(beside: path)?.marks.contains(found) == true else {
            throw Self.overwritten(path)
        }
        mark = found
    }

    /// From the file itself, past the log, by the connection's own descriptor: another one's end would take its locks away.
    private static func mark(of connection: Connection) -> Int32? {
        var file: UnsafeMutablePointer<sqlite3_file>?
        guard
            sqlite3_file_control(connection.handle, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK,
            let file, let read = file.pointee.pMethods?.pointee.xRead
        else { return nil }
        var bytes = [UInt8](repeating: 0, count: 4)
        // https://sqlite.org/fileformat2.html#application_id
        guard read(file, &bytes, 4, 68) == SQLITE_OK else { return nil }
        return Int32(bitPattern: bytes.reduce(0) { $0 << 8 | UInt32($1) })
    }

    private static func overwritten(_ path: String) -> SQLiteError {
        moved(
            "another file was written over \(path) while it is in use",
            "Stop all servers and workers, then put a backup in its place: renga restore FILE --database \(path)"
        )
    }

    private static func moved(_ what: String, _ cure: String) -> SQLiteError {
        SQLiteError(
            code: SQLiteError.moved,
            message: "\(what); nothing is read or written any more. \(cure)")
    }
}
