import CSQLite
import Glibc

/// The writers of all processes, in the order in which they came.
///
/// SQLite's write lock has no queue: a writer that finds it held sleeps and looks again, and one that has just given
/// it back takes it before the others look. With 16 processes one of them waited for more than a second. So before a
/// transaction a writer takes its turn here: two bytes of a file beside the database, locked with the kernel's help,
/// which wakes who waits. A writer that waits for the turn holds the door, and so none overtakes. A lock goes with
/// the process that had it.
///
/// It is for order alone. If the file cannot be had, or a turn does not come (a process stands still in it), SQLite's
/// lock decides as before.
struct WriterQueue {
    /// How long a turn is waited for, and how long there are none after one that did not come.
    private static let patienceSeconds = 2
    private static let aloneNanoseconds: Int64 = 10_000_000_000

    private enum LockByte: Int64 {
        case door
        case turn
    }

    private let descriptor: Int32
    private var alarm: csqlite_alarm?
    private var hasTurn = false
    private var aloneUntil: Int64 = 0

    /// To be called by the thread that will wait.
    init(of connection: Connection) {
        let path = sqlite3_db_filename(connection.handle, "main").map { String(cString: $0) } ?? ""
        descriptor = path.isEmpty ? -1 : open(Companion.path(of: path), O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        var made = csqlite_alarm()
        if csqlite_make_alarm(&made) == 0 { alarm = made }
    }

    /// Waits for the turn, and gives it to the next afterwards; the waiting counts as the connection's for the lock.
    mutating func inTurn(of connection: Connection, _ body: () -> Void) {
        let start = csqlite_monotonic_ns()
        enter()
        let waited = csqlite_monotonic_ns() - start
        connection.notes.pointee.longest_wait_ns = max(connection.notes.pointee.longest_wait_ns, waited)
        body()
        leave()
    }

    private mutating func enter() {
        guard descriptor >= 0, csqlite_monotonic_ns() >= aloneUntil else { return }
        if lock(.door, waits: false) {
            hasTurn = lock(.turn, waits: false) || waiting { lock(.turn, waits: true) }
            unlock(.door)
        } else if waiting({ lock(.door, waits: true) }) {
            hasTurn = waiting { lock(.turn, waits: true) }
            unlock(.door)
        }
        if !hasTurn { aloneUntil = csqlite_monotonic_ns() + Self.aloneNanoseconds }
    }

    private mutating func leave() {
        guard hasTurn else { return }
        hasTurn = false
        unlock(.turn)
    }

    /// After the last turn.
    func close() {
        if var alarm { csqlite_end_alarm(&alarm) }
        if descriptor >= 0 { Glibc.close(descriptor) }
    }

    /// Whether the lock was had in time; without an alarm it is not waited for.
    private func waiting(_ lock: () -> Bool) -> Bool {
        guard var alarm else { return false }
        csqlite_set_alarm(&alarm, Self.patienceSeconds)
        defer { csqlite_set_alarm(&alarm, 0) }
        return lock()
    }

    private func lock(_ byte: LockByte, waits: Bool) -> Bool {
        csqlite_lock_byte(descriptor, byte.rawValue, Int16(F_WRLCK), waits ? 1 : 0) == 0
    }

    private func unlock(_ byte: LockByte) {
        _ = csqlite_lock_byte(descriptor, byte.rawValue, Int16(F_UNLCK), 0)
    }
}
