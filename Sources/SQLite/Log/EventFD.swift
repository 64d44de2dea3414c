import CSQLite
import Glibc

/// A counter that threads sleep on (an eventfd): each ring wakes one of them, now or when it goes to sleep.
final class EventFD: Sendable {
    /// Readable while there are rings that no thread has taken.
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

    /// Whether there is a ring within so many milliseconds; it is not taken.
    func rings(within milliseconds: Int32) -> Bool {
        var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&state, 1, milliseconds) > 0
    }

    func ring(times: Int = 1) {
        var one: UInt64 = 1
        for _ in 0..<times { while write(descriptor, &one, 8) < 0, errno == EINTR {} }
    }
}
