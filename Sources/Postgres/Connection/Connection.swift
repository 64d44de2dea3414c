import CPQ
import Glibc
import System

/// One connection to a server that accepts writes, in libpq's pipeline mode and never blocking in it.
///
/// It belongs to one thread at a time: `Session` and `Listener` own threads, commands that run alone may open one of their own.
/// Statements are prepared when they are first called, in the same round trip. Once `isUsable` is false it stays so: drop it,
/// and open another.
package final class Connection {
    let functions: Library.Functions
    let handle: OpaquePointer
    let text: ServerText
    let notices: Notices
    package let host: ConnectionSettings.Host
    /// Known once `open` has returned.
    package internal(set) var identity: Identity?
    package internal(set) var isUsable = true
    /// Names of statements that the server has prepared.
    var prepared: Set<String> = []
    /// Whether a `Transaction` is at work on it.
    var isInTransaction = false
    /// Round trips so far.
    package internal(set) var trips = 0
    private var heard: [Notification] = []

    /// A notification is a hint: of more than these the oldest are dropped.
    private static let notificationLimit = 1_024

    /// Tries the hosts one after the other; throws what the last one said, or the first that people must correct.
    package static func open(_ settings: ConnectionSettings) throws(PostgresError) -> Connection {
        var patience = HostPatience(settings)
        return try open(settings, &patience)
    }

    /// The same with what is known of the hosts from before.
    static func open(_ settings: ConnectionSettings, _ patience: inout HostPatience) throws(PostgresError)
        -> Connection
    {
        var failure: PostgresError?
        for host in patience.order(settings.hosts) {
            let askedAt = monotonicMilliseconds()
            let limit = patience.limit(for: host, at: askedAt)
            defer { patience.note(host, askedAt: askedAt, limit: limit, now: monotonicMilliseconds()) }
            do throws(PostgresError) {
                let connection = try Connection(to: host, settings, within: Int(limit))
                try connection.greet(settings)
                return connection
            } catch {
                if error.kind == .missingLibrary { throw error }
                guard failure?.kind != .refused else { continue }
                // It was lost while it was greeted.
                let isLost = error.kind == .again
                failure = isLost ? PostgresError(.unavailable, error.message, state: error.state) : error
            }
        }
        throw failure ?? PostgresError(.badSettings, "no host is given")
    }

    private init(
        to host: ConnectionSettings.Host, _ settings: ConnectionSettings, within milliseconds: Int
    ) throws(PostgresError) {
        let functions = try Library.functions()
        guard let handle = settings.withPairs(for: host, { functions.pointee.connect_start($0, $1, 0) })
        else {
            throw PostgresError(.unavailable, "there is no memory for a connection")
        }
        self.functions = functions
        self.handle = handle
        self.host = host
        text = ServerText(hiding: settings.password)
        notices = Notices(functions, text)
        // All is set: if this throws, deinit ends the handle.
        notices.receive(from: handle)
        try connect(within: milliseconds)
    }

    deinit {
        functions.pointee.finish(handle)
    }

    private func connect(within milliseconds: Int) throws(PostgresError) {
        // SQLSTATEs stand in no other place until there is a connection.
        _ = functions.pointee.set_error_verbosity(handle, cpq_all_words)
        let deadline = monotonicMilliseconds() + Int64(milliseconds)
        guard functions.pointee.status(handle) != cpq_connection_bad else { throw connectFailure() }
        var next = cpq_polling_writing
        while next != cpq_polling_ok {
            let events = next == cpq_polling_reading ? POLLIN : POLLOUT
            // The socket may be another one each time.
            guard wait(for: events, until: deadline) != .time else {
                throw PostgresError(.unavailable, "\(host) did not answer within \(milliseconds) ms")
            }
            next = functions.pointee.connect_poll(handle)
            guard next != cpq_polling_failed else { throw connectFailure() }
        }
        _ = functions.pointee.set_error_verbosity(handle, cpq_default_words)
        guard functions.pointee.set_nonblocking(handle, 1) == 0, functions.pointee.enter_pipeline(handle) == 1
        else { throw connectFailure() }
    }

    /// All words of an error are `FATAL:  28P01: password authentication failed…`, and a line that tells where in the source.
    private func connectFailure() -> PostgresError {
        let lines = words.split(separator: "\n").filter { !$0.hasPrefix("LOCATION:") }
        let said = lines.joined(separator: " ")
        let state =
            said.firstMatch(of: #/(?:FATAL|ERROR|PANIC): +([0-9A-Z]{5}): /#).map { String($0.1) } ?? ""
        if let advice = Self.advice(on: said) {
            return PostgresError(advice.kind, "\(host) \(advice.words)", state: state)
        }
        return PostgresError(.init(connectingState: state), text.clean(said), state: state)
    }

    /// What to do about refusals whose own words tell an operator little.
    private static func advice(on said: String) -> (kind: PostgresError.Kind, words: String)? {
        if said.contains("unsupported startup parameter") {
            return (
                .refused,
                "is a pooler, such as PgBouncer, and refuses a parameter of the URL (\u{201C}options\u{201D}): leave it out and "
                    + "connect to the server itself, or to a pool in session mode"
            )
        }
        guard said.contains("session is read-only") || said.contains("server is in hot standby mode") else {
            return nil
        }
        return (
            .unavailable,
            "is read-only: it is a standby, or default_transaction_read_only is on. Name the server that takes "
                + "writes, or all servers of the cluster: postgres://USER@HOST1,HOST2/NAME"
        )
    }

    /// What libpq says of the connection; may hold anything.
    var words: String { functions.pointee.error_message(handle).map { String(cString: $0) } ?? "" }

    /// The last warnings of the server.
    package var warnings: [String] { notices.warnings }

    /// The server's process that serves it.
    package var serverProcess: Int32 { functions.pointee.server_process(handle) }

    /// Whether the server has a transaction open, as its last answer said.
    var hasOpenTransaction: Bool { functions.pointee.transaction_status(handle) != cpq_idle }
}

// MARK: waiting

extension Connection {
    enum Waking { case socket, bell, time }

    /// Sleeps until the socket is ready, the bell rings or the time has come; nil for never.
    func wait(for events: Int32, bell: EventFD? = nil, until deadline: Int64?) -> Waking {
        let socket = functions.pointee.socket(handle)
        // One that libpq has closed will say so when it is read.
        guard socket >= 0 else { return .socket }
        while true {
            let left = deadline.map { Int32(clamping: max(0, $0 - monotonicMilliseconds())) } ?? -1
            var watched = [
                pollfd(fd: socket, events: Int16(events), revents: 0),
                pollfd(fd: bell?.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
            ]
            let ready = poll(&watched, 2, left)
            if ready == 0 { return .time }
            guard ready > 0 else { continue }
            return watched[0].revents != 0 ? .socket : .bell
        }
    }

    /// While nothing is asked: sleeps until the bell rings or the server has said something, and takes note of that.
    func rest(bell: EventFD) {
        guard wait(for: POLLIN, bell: bell, until: nil) == .socket else { return }
        takeNote()
    }

    private func takeNote() {
        let isConnected = functions.pointee.consume_input(handle) == 1
        // Reads what is no answer to anything: notices, notifications, the reason why the server ends.
        _ = functions.pointee.is_busy(handle)
        collectNotifications()
        if !isConnected || functions.pointee.status(handle) != cpq_connection_ok { isUsable = false }
    }

    func collectNotifications() {
        while let found = functions.pointee.notifies(handle) {
            defer { functions.pointee.free_memory(found) }
            guard let channel = found.pointee.channel, let payload = found.pointee.payload else { continue }
            if heard.count == Self.notificationLimit { heard.removeFirst() }
            heard.append(Notification(channel: String(cString: channel), payload: String(cString: payload)))
        }
    }

    /// The same, waiting so long for something to be heard.
    package func takeNotifications(within milliseconds: Int) -> [Notification] {
        let deadline = monotonicMilliseconds() + Int64(milliseconds)
        while isUsable, heard.isEmpty, wait(for: POLLIN, until: deadline) == .socket { takeNote() }
        return takeNotifications()
    }

    /// What was heard on channels since the last call.
    package func takeNotifications() -> [Notification] {
        defer { heard = [] }
        return heard
    }
}

/// What NOTIFY said; a hint, as none is kept for a listener that is not connected.
package struct Notification: Sendable, Equatable {
    package let channel: String
    package let payload: String
}
