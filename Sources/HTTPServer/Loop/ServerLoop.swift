import CMicroHTTPD
import Glibc
import System

/// The server's thread: one epoll over MHD, the mailbox and every client's socket.
///
/// MHD runs without a thread of its own (`MHD_run` in each turn), so everything here belongs to one thread and needs
/// no lock; other threads reach it through the mailbox only. The sockets are watched a second time, beside MHD's own
/// epoll, because MHD does not look at a connection that is suspended, and so never learns that its peer hung up:
/// edge-triggered EPOLLRDHUP costs one system call a connection and wakes no thread while data flows.
final class ServerLoop {
    let configuration: HTTPServer.Configuration
    let handler: any Handler
    let mailbox: Mailbox<LoopMessage>
    let executor: LoopExecutor

    /// Milliseconds of the monotonic clock at the beginning of this turn.
    private(set) var now: Int64 = 0

    var connections: [UInt64: Connection] = [:]
    var perNetwork: [Network: Int] = [:]
    var surplus = 0
    var evictable: [Connection] = []
    var evictableSince = Int64.min / 2

    /// Exchanges that MHD does not look at until they are woken.
    private(set) var suspended: [UInt64: Exchange] = [:]

    /// Exchanges to suspend when MHD has run, because their answers are not there.
    var awaiting: [Exchange] = []

    /// Exchanges whose headers have come and whose answer has not been sent.
    var inFlight = 0

    /// Exchanges to wake, and calls to make once the server has stopped: both from the mailbox.
    var toWake: [UInt64] = []
    var stops: [@Sendable () -> Void] = []

    var requestIDs = RequestIDs()
    var isStopping = false

    var stopPhase = StopPhase.none

    private let epoll: Int32
    var daemon: OpaquePointer?

    /// Connections whose peer's end is to be looked at after MHD has run.
    var hungUp: [UInt64] = []
    private var mustRun = false
    var nextDeadline = Int64.max
    private var lastID: UInt64 = 1

    init(configuration: HTTPServer.Configuration, handler: any Handler, mailbox: Mailbox<LoopMessage>) {
        self.configuration = configuration
        self.handler = handler
        self.mailbox = mailbox
        executor = LoopExecutor(mailbox)
        self.epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    }

    deinit {
        _ = close(epoll)
    }

    /// Takes over the listening socket; false when MHD cannot start, and the socket is the caller's still.
    func open(listening: Int32) -> Bool {
        var callbacks = callbacks(for: Unmanaged.passUnretained(self).toOpaque())
        // Room above the limit, so that MHD always accepts and the refusal is ours: at its own limit it would hang.
        let room = UInt32(configuration.connectionLimit + 2 * Self.surplusLimit + 64)
        let idle = UInt32(max(1, configuration.idleTimeout.milliseconds / 1000))
        daemon = cmhd_start(listening, room, idle, Self.connectionMemory, &callbacks)
        guard let daemon, epoll >= 0 else { return false }
        watch(cmhd_epoll(daemon), as: Self.daemonTag, for: EPOLLIN.rawValue)
        watch(mailbox.event.descriptor, as: Self.mailboxTag, for: EPOLLIN.rawValue)
        return true
    }

    func run() {
        var events = [epoll_event](repeating: epoll_event(), count: 256)
        while !hasFinished {
            let count = epoll_wait(epoll, &events, Int32(events.count), timeout())
            now = monotonicMilliseconds()
            for event in events.prefix(Int(max(0, count))) {
                switch event.data.u64 {
                case Self.daemonTag: break
                case Self.mailboxTag:
                    mailbox.event.clear()
                    runTasks()
                case let id: hungUp.append(id)
                }
            }
            // Tasks came first: what they left is picked up in the same turn.
            attend()
            mustRun = false
            MHD_run(daemon)
            suspendAwaiting()
            attend()
            noticeHangUps()
            if isStopping { advanceStop() }
            if now >= nextDeadline { sweep() }
        }
        finish()
    }

    private static let daemonTag: UInt64 = 0
    private static let mailboxTag: UInt64 = 1

    /// MHD's memory for a connection: headers, 16 KiB for reading, and the chunk being written.
    private static let connectionMemory = 32 * 1024

    /// Deadlines are looked at no more often than this.
    private static let sweepInterval: Int64 = 50
}

extension ServerLoop {
    func nextID() -> UInt64 {
        lastID += 1
        return lastID
    }

    func watchHangUp(of connection: Connection) {
        watch(connection.socket, as: connection.id, for: EPOLLRDHUP.rawValue | EPOLLET.rawValue)
    }

    func setDeadline(_ deadline: Int64, for connection: Connection) {
        connection.deadline = deadline
        nextDeadline = min(nextDeadline, deadline)
    }

    func suspend(_ exchange: Exchange) {
        guard !exchange.isSuspended else { return }
        exchange.isSuspended = true
        suspended[exchange.id] = exchange
        MHD_suspend_connection(exchange.connection.handle)
    }

    /// Suspended while it calls us, MHD would forget that it has read the request: when resumed it would read first, and
    /// close the connection of a client that has ended its side and waits for the answer.
    private func suspendAwaiting() {
        for exchange in awaiting where exchange.connection.exchange === exchange {
            if case .waiting = exchange.stage { suspend(exchange) }
        }
        awaiting.removeAll(keepingCapacity: true)
    }

    /// Lets MHD look at it again, if it is suspended.
    func wake(_ id: UInt64) {
        guard let exchange = suspended.removeValue(forKey: id) else { return }
        exchange.isSuspended = false
        woken(exchange)
        resume(exchange.connection)
    }

    private func watch(_ descriptor: Int32, as tag: UInt64, for events: UInt32) {
        var event = epoll_event(events: events, data: epoll_data_t(u64: tag))
        // Without memory for it a hang-up is noticed later, when the answer is sent.
        _ = epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event)
    }

    private func noticeHangUps() {
        for id in hungUp { connections[id].map(noticeHangUp) }
        hungUp.removeAll(keepingCapacity: true)
    }

    /// Makes MHD read again, whatever it believes to have read.
    ///
    /// It takes a short read for the last there was (recv_param_adapter), and misses the end of a connection whose
    /// last bytes and FIN came as one edge. A resumed connection is read again and newly added to its epoll.
    func nudge(_ connection: Connection) {
        if connection.exchange?.isSuspended == true { return }
        MHD_suspend_connection(connection.handle)
        resume(connection)
    }

    /// Without a thread of its own MHD takes note of this in its next run, and signals no thread.
    private func resume(_ connection: Connection) {
        MHD_resume_connection(connection.handle)
        mustRun = true
    }

    /// How long nothing can happen by itself, in milliseconds; -1 for ever.
    private func timeout() -> Int32 {
        if mustRun { return 0 }
        var milliseconds: UInt64 = 0
        var timeout = Int64.max
        if MHD_get_timeout(daemon, &milliseconds) == .YES { timeout = Int64(clamping: milliseconds) }
        if nextDeadline != .max { timeout = min(timeout, max(0, nextDeadline - monotonicMilliseconds())) }
        return timeout == .max ? -1 : Int32(clamping: timeout)
    }

    private func sweep() {
        nextDeadline = .max
        var earliest = Int64.max
        for connection in connections.values {
            if connection.deadline <= now { expired(connection) }
            earliest = min(earliest, connection.deadline)
        }
        nextDeadline = min(nextDeadline, earliest)
        if nextDeadline != .max { nextDeadline = max(nextDeadline, now + Self.sweepInterval) }
        if case .graceful(let until) = stopPhase { nextDeadline = min(nextDeadline, until) }
        if case .cancelled(let until) = stopPhase { nextDeadline = min(nextDeadline, until) }
    }
}
