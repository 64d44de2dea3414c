import CLinux
import Glibc

/// A counter in the kernel (an eventfd) that threads sleep on.
package final class EventFD: Sendable {
    package enum Kind: Sendable {
        /// Each ring wakes one sleeper, now or when it goes to sleep.
        case semaphore
        /// For one thread that polls the descriptor: `clear` takes all rings at once.
        case polled
    }

    /// Readable while there are rings that no thread has taken; it lives as long as this object.
    package let descriptor: Int32

    /// Throws if no file descriptor is left.
    package init(_ kind: Kind) throws(SystemError) {
        let flags = kind == .semaphore ? EFD_SEMAPHORE : EFD_NONBLOCK
        descriptor = eventfd(0, Int32(EFD_CLOEXEC | flags))
        guard descriptor >= 0 else { throw SystemError("make an eventfd") }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    package func ring(times: Int = 1) {
        var one: UInt64 = 1
        for _ in 0..<times { while write(descriptor, &one, 8) < 0, errno == EINTR {} }
    }

    /// Blocks the thread until there is a ring, and takes it.
    package func wait() { take() }

    /// Takes all rings of a polled one.
    package func clear() { take() }

    /// Whether there is a ring within so many milliseconds; it is not taken.
    package func rings(within milliseconds: Int32) -> Bool {
        var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&state, 1, milliseconds) > 0
    }

    private func take() {
        var count: UInt64 = 0
        while read(descriptor, &count, 8) < 0, errno == EINTR {}
    }
}
