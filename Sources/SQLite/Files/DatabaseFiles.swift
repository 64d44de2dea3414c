import CSQLite
import Glibc

/// The files of a database by their names, without its connections.
struct DatabaseFiles {
    /// Where SQLite takes it to be: the file that a link leads to.
    let path: String

    var log: String { path + "-wal" }
    var index: String { path + "-shm" }

    init(_ path: String) {
        guard let resolved = realpath(path, nil) else {
            self.path = path
            return
        }
        defer { free(resolved) }
        self.path = String(cString: resolved)
    }

    /// Tells a file from another one of the same name.
    struct Identity: Equatable {
        let device: UInt
        let inode: UInt
    }

    var identity: Identity? { Self.identity(of: path) }

    static func identity(of path: String) -> Identity? {
        var facts = stat()
        guard stat(path, &facts) == 0 else { return nil }
        return Identity(device: UInt(facts.st_dev), inode: UInt(facts.st_ino))
    }

    var exists: Bool { Self.size(path) != nil }

    static func size(_ path: String) -> Int? {
        var facts = stat()
        return stat(path, &facts) == 0 ? Int(facts.st_size) : nil
    }

    /// The log's header, https://sqlite.org/fileformat2.html#walformat, and the header of one frame.
    private static let leastLog = 32 + 24

    /// The first salt of a log that may hold something; nil if there is none.
    ///
    /// SQLite has no lock on the log: unlike the database it may be opened beside its connections.
    func salt() -> UInt32? {
        guard (Self.size(log) ?? 0) > Self.leastLog else { return nil }
        let descriptor = open(log, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var header = [UInt8](repeating: 0, count: 32)
        guard pread(descriptor, &header, header.count, 0) == header.count else { return nil }
        return header[16..<20].reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// What the file itself bears, whatever its log says; nil if it is no database.
    ///
    /// By way of SQLite: to open and close the file otherwise would take the locks from other connections of this process.
    func mark() -> Int32? {
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX
        let status = sqlite3_open_v2("file:\(Self.escaped(path))?immutable=1", &opened, flags, nil)
        defer { sqlite3_close_v2(opened) }
        guard status == SQLITE_OK, let opened else { return nil }
        var prepared: OpaquePointer?
        guard sqlite3_prepare_v2(opened, "PRAGMA application_id", -1, &prepared, nil) == SQLITE_OK,
            let prepared
        else { return nil }
        defer { sqlite3_finalize(prepared) }
        return sqlite3_step(prepared) == SQLITE_ROW ? sqlite3_column_int(prepared, 0) : nil
    }

    private static func escaped(_ path: String) -> String {
        var text = ""
        for byte in path.utf8 {
            let scalar = UnicodeScalar(byte)
            let isPlain = byte < 0x80 && byte > 0x20 && !"%?#\"".unicodeScalars.contains(scalar)
            if isPlain {
                text.unicodeScalars.append(scalar)
            } else {
                let digits = Array("0123456789ABCDEF")
                text += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }
        }
        return text
    }
}
