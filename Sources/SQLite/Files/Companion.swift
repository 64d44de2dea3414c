import CSQLite
import Glibc

/// `FILE-writers`, the file beside a database at which its processes meet: its bytes are locks, its text is the `LogRecord`.
///
/// Locks belong to the open description: stores of one process count one by one, and a lock goes with its holder. The
/// first two bytes are the `WriterQueue`'s.
final class Companion: Sendable {
    enum LockByte: Int64 {
        /// Held while the database is opened, closed or replaced.
        case gate = 2
        /// Shared by all that have the database open, or held by one that has it to itself.
        case presence = 3
    }

    static func path(of database: String) -> String { database + "-writers" }

    private let descriptor: Int32

    /// Nil if the file cannot be had.
    init?(of database: String, creating mode: mode_t?) {
        let flags = O_RDWR | O_CLOEXEC | (mode == nil ? 0 : O_CREAT)
        descriptor = open(Self.path(of: database), flags, mode ?? 0)
        if descriptor < 0 { return nil }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    func lock(_ byte: LockByte, _ type: Int32) -> Bool {
        csqlite_lock_byte(descriptor, byte.rawValue, Int16(type), 0) == 0
    }

    func unlock(_ byte: LockByte) {
        _ = csqlite_lock_byte(descriptor, byte.rawValue, Int16(F_UNLCK), 0)
    }

    /// Whether another process has the database to itself; to be asked at the gate, where nobody is on its way in or out.
    var isHeldAlone: Bool {
        let status = csqlite_lock_byte(descriptor, LockByte.presence.rawValue, Int16(F_RDLCK), 0)
        if status == 0 { unlock(.presence) }
        return status == EAGAIN || status == EACCES
    }

    /// Opening takes moments; only a look at every page of a large file takes longer.
    private static let gatePatience: Int64 = 120_000_000_000

    /// Runs the closure while no other process opens, closes or replaces the database.
    func atGate<T>(_ body: () throws(SQLiteError) -> T) throws(SQLiteError) -> T {
        let end = csqlite_monotonic_ns() + Self.gatePatience
        while !lock(.gate, F_WRLCK) {
            guard csqlite_monotonic_ns() < end else {
                throw SQLiteError(
                    code: SQLiteError.busy,
                    message: "another process has been opening or replacing the database for two minutes")
            }
            csqlite_sleep(1_000_000)
        }
        defer { unlock(.gate) }
        return try body()
    }

    /// Nil if there is none, or none that can be read.
    func record() -> LogRecord? { LogRecord(in: descriptor) }

    /// False if the disk does not take it.
    func write(_ record: LogRecord) -> Bool {
        let bytes = Array(record.text.utf8)
        return pwrite(descriptor, bytes, bytes.count, 0) == bytes.count && fdatasync(descriptor) == 0
    }
}

extension LogRecord {
    fileprivate init?(in descriptor: Int32) {
        var bytes = [UInt8](repeating: 0, count: Self.length)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count == bytes.count else { return nil }
        self.init(String(decoding: bytes, as: UTF8.self))
    }

    /// What the processes of a database know of its marks; locks of theirs are not touched, as they belong to descriptions.
    static func read(beside path: String) -> LogRecord? {
        Companion(of: path, creating: nil)?.record()
    }
}
