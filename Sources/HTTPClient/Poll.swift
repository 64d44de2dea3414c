import CCurl
import Glibc

/// An epoll instance, level-triggered.
final class Poll {
    private let descriptor: Int32
    private var watched: Set<Int32> = []
    private var events = [epoll_event](repeating: epoll_event(), count: 256)

    init() {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        precondition(descriptor >= 0, "epoll_create1 failed with errno \(errno)")
    }

    deinit {
        close(descriptor)
    }

    func watch(_ target: Int32, for interest: UInt32) {
        var event = epoll_event()
        event.events = interest
        event.data.fd = target
        let isNew = watched.insert(target).inserted
        var code = epoll_ctl(descriptor, isNew ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, target, &event)
        // Closed and opened again under the same number, behind our back.
        if code != 0, errno == ENOENT { code = epoll_ctl(descriptor, EPOLL_CTL_ADD, target, &event) }
        precondition(code == 0, "epoll_ctl failed with errno \(errno)")
    }

    /// The file may be closed by now: then the kernel has forgotten it already.
    func forget(_ target: Int32) {
        guard watched.remove(target) != nil else { return }
        var unused = epoll_event()
        epoll_ctl(descriptor, EPOLL_CTL_DEL, target, &unused)
    }

    /// Waits up to a time (-1: for ever) and returns up to 256 ready files with their events.
    func wait(milliseconds: Int32) -> [(Int32, UInt32)] {
        let count = epoll_wait(descriptor, &events, Int32(events.count), milliseconds)
        // EINTR is the only failure there can be: an empty turn.
        return events.prefix(Int(max(count, 0))).map { ($0.data.fd, $0.events) }
    }
}
