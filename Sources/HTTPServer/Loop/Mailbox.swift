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

        /// What tasks go on with on the server's thread.
        fileprivate var jobs: [UnownedJob] = []

        /// Whether the server's thread takes jobs at this moment, and will look again before it leaves them.
        fileprivate var takesJobs = false

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

    /// False once nothing is picked up any more.
    func post(_ job: UnownedJob) -> Bool {
        let (isTaken, mustSignal) = content.withLock { content in
            guard !content.isClosed else { return (false, false) }
            content.jobs.append(job)
            guard !content.takesJobs, !content.isSignalled else { return (true, false) }
            content.isSignalled = true
            return (true, true)
        }
        if mustSignal { _ = eventfd_write(event, 1) }
        return isTaken
    }

    /// From now on `takeJobs` is called until there are none.
    func beginJobs() {
        content.withLock { $0.takesJobs = true }
    }

    /// What has come since; after nothing, `beginJobs` is due again.
    func takeJobs() -> [UnownedJob] {
        content.withLock { content in
            defer { content.jobs = [] }
            content.takesJobs = !content.jobs.isEmpty
            return content.jobs
        }
    }

    /// Some may be left: they are signalled as if they had come now.
    func endJobs() {
        let mustSignal = content.withLock { content in
            content.takesJobs = false
            guard !content.jobs.isEmpty, !content.isSignalled else { return false }
            content.isSignalled = true
            return true
        }
        if mustSignal { _ = eventfd_write(event, 1) }
    }

    /// What is left from now on until `empty` needs no signal.
    func beginTurn() {
        content.withLock { $0.isSignalled = true }
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
        let (taken, mustSignal) = content.withLock { content in
            defer {
                content.wakes = []
                // Jobs that came since the last were run.
                content.isSignalled = !content.jobs.isEmpty
            }
            return (content, !content.jobs.isEmpty)
        }
        if mustSignal { _ = eventfd_write(event, 1) }
        return taken
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
