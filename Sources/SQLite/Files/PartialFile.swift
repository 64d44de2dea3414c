import Glibc

/// What a copy is called until it is whole: `FILE.partial-PID`, locked by the process that writes it.
///
/// The lock tells what a killed process left behind from what another one is still writing, in other containers too,
/// where a process's number says nothing. It is of the kind that SQLite does not use.
struct PartialFile {
    let path: String
    let descriptor: Int32

    /// Makes an empty one, and clears away those of the same file that no process writes any more.
    init(of destination: String, mode: mode_t) throws(SQLiteError) {
        Self.clear(of: destination)
        path = "\(destination).partial-\(getpid())"
        descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw Backup.failure("make", path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let error = Backup.failure("lock", path)
            remove()
            throw error
        }
    }

    /// Takes the name away, and gives the lock up.
    func remove() {
        Self.removeCompanions(of: path)
        unlink(path)
        close(descriptor)
    }

    private static func clear(of destination: String) {
        let prefix = (destination.split(separator: "/").last ?? "") + ".partial-"
        let folder = Volume.directory(of: destination)
        // If the folder cannot be read, the copy itself will say what is wrong.
        guard let entries = opendir(folder) else { return }
        defer { closedir(entries) }
        while let entry = readdir(entries) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name.hasPrefix(prefix), Int32(name.dropFirst(prefix.count)) != nil else { continue }
            clearUnlessHeld("\(folder)/\(name)")
        }
    }

    private static func clearUnlessHeld(_ path: String) {
        let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return }
        // SQLite's own, first: without the file that bears the lock it would be taken for abandoned.
        removeCompanions(of: path)
        unlink(path)
    }

    static func removeCompanions(of path: String) {
        for suffix in ["-journal", "-wal", "-shm"] { unlink(path + suffix) }
    }

    /// Writes the mark where SQLite has it, big-endian.
    ///
    /// As https://sqlite.org/fileformat2.html#application_id has it.
    /// No connection may have the file open.
    func bear(_ mark: Int32) throws(SQLiteError) {
        let bytes = withUnsafeBytes(of: mark.bigEndian) { Array($0) }
        guard pwrite(descriptor, bytes, bytes.count, 68) == bytes.count else {
            throw Backup.failure("write", path)
        }
    }
}
