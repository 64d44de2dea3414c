import CSQLite
import CrashPoint
import Glibc

/// Copies of a database in use.
package enum Backup {
    /// Writes a compact copy, of one moment, that is complete and on disk once this returns.
    ///
    /// Writers go on meanwhile, but the log cannot start afresh until the copy is done. Refuses to replace a
    /// file. Runs on a thread of its own.
    package static func copy(
        database path: String, to destination: String, mode: UInt32 = DatabaseFile.standardMode
    ) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            do {
                try startThread(named: "sqlite-backup") {
                    continuation.resume(with: Result { try write(path, to: destination, mode) })
                }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    private static func write(
        _ path: String, to destination: String, _ mode: UInt32
    ) throws(SQLiteError) {
        guard access(destination, F_OK) != 0 else { throw refusal("\(destination) exists already") }
        // Under another name until it is whole: what bears the name can be relied upon.
        let partial = try PartialFile(of: destination, mode: mode)
        defer { partial.remove() }
        // VACUUM INTO does not sync what it writes: https://sqlite.org/lang_vacuum.html
        try copy(path, into: partial.path)
        // The copy is a file of its own: the log of the one that it was made of is not its.
        try partial.bear(FileMark.random(inUse: false))
        try sync(partial.path)
        crashPoint("backup-copied")
        // Unlike a rename, a link does not replace what has appeared meanwhile.
        guard link(partial.path, destination) == 0 else { throw failure("name", destination) }
        try sync(Volume.directory(of: destination))
    }

    private static func copy(_ path: String, into copy: String) throws(SQLiteError) {
        let connection = try Connection(path: path, mode: .read)
        // VACUUM counts as writing, even if it writes to another file.
        try connection.run("PRAGMA query_only = OFF")
        try connection.run("VACUUM INTO ?1", [.text(copy)])
    }

    static func sync(_ path: String) throws(SQLiteError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("sync", path) }
    }

    static func failure(_ verb: String, _ path: String) -> SQLiteError {
        refusal("cannot \(verb) \(path): errno \(errno)")
    }

    static func refusal(_ message: String) -> SQLiteError {
        SQLiteError(code: SQLiteError.system, message: message)
    }
}
