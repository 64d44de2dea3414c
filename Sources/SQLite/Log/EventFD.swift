import CSQLite
import Glibc

/// A counter that threads sleep on (an eventfd): each ring wakes one of them, now or when it goes to sleep.
final class EventFD: Sendable {
    /// Readable while there are rings that nobody has taken.
    let descriptor: Int32

    init() throws(SQLiteError) {
        descriptor = csqlite_bell()
        guard descriptor >= 0 else {
            throw SQLiteError(code: SQLiteError.system, message: "cannot make an eventfd: errno \(errno)")
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Blocks the thread until there is a ring, and takes it.
    func wait() {
        var count: UInt64 = 0
        while read(descriptor, &count, 8) < 0, errno == EINTR {}
    }

    func ring(times: Int = 1) {
        var one: UInt64 = 1
        for _ in 0..<times { while write(descriptor, &one, 8) < 0, errno == EINTR {} }
    }
}
