import CMicroHTTPD
import Glibc
import Synchronization

/// How other threads reach the server's: what they leave is picked up at its next turn, which they bring about.
final class Mailbox: Sendable {
    struct Content {
        /// Exchanges to be looked at again.
        var wakes: [UInt64] = []

        /// Called once the server has stopped, by `close`; any makes it stop.
        var stops: [@Sendable () -> Void] = []

        fileprivate var isSignalled = false
        fileprivate var isClosed = false
    }

    /// Readable while something waits here.
    let event: Int32

    private let content = Mutex(Content())
    private let running = Atomic(0)

    init() {
        event = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        precondition(event >= 0, "no file descriptor is left")
    }

    deinit {
        _ = Glibc.close(event)
    }

    func wake(_ exchange: UInt64) {
        post { $0.wakes.append(exchange) }
    }

    func stop(_ stopped: @escaping @Sendable () -> Void) {
        let isClosed = content.withLock { content in
            if !content.isClosed { content.stops.append(stopped) }
            return content.isClosed
        }
        if isClosed { stopped() } else { post { _ in } }
    }

    /// Handler tasks that have not ended.
    var runningTasks: Int { running.load(ordering: .acquiring) }

    func taskStarts() {
        running.add(1, ordering: .relaxed)
    }

    func taskEnds() {
        running.subtract(1, ordering: .releasing)
    }

    func empty() -> Content {
        var count: UInt64 = 0
        _ = eventfd_read(event, &count)
        return content.withLock { content in
            defer {
                content.wakes = []
                content.isSignalled = false
            }
            return content
        }
    }

    /// Nothing is picked up any more.
    func close() {
        let stops = content.withLock { content in
            content.isClosed = true
            defer { content.stops = [] }
            return content.stops
        }
        for stopped in stops { stopped() }
    }

    private func post(_ change: (inout Content) -> Void) {
        let mustSignal = content.withLock { content in
            change(&content)
            defer { content.isSignalled = true }
            return !content.isSignalled
        }
        if mustSignal { _ = eventfd_write(event, 1) }
    }
}
