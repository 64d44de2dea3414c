import CMicroHTTPD
import Dispatch
import Glibc
import Synchronization
import System

/// An HTTP/1.1 server on libmicrohttpd: sockets, parsing, limits and deadlines here, everything else in a `Handler`.
///
/// One thread accepts, reads and writes (`ServerLoop`); handlers run in tasks. A server is started once and stopped
/// once; when it is dropped without being stopped, it stops by itself.
package final class HTTPServer: Sendable {
    private enum State {
        case new
        case running(Mailbox<LoopMessage>, port: Int)
        case stopping(Mailbox<LoopMessage>?)
    }

    private let configuration: Configuration
    private let handler: any Handler
    private let state = Mutex(State.new)

    package init(configuration: Configuration = Configuration(), handler: any Handler) {
        self.configuration = configuration
        self.handler = handler
    }

    deinit {
        if case .running(let mailbox, _) = state.withLock({ $0 }) { mailbox.stop {} }
    }

    /// Listens when it returns.
    package func start() throws(HTTPServerError) {
        let started: Result<Void, HTTPServerError> = state.withLock { state in
            guard case .new = state else {
                return .failure(
                    HTTPServerError(code: .alreadyStarted, message: "the server was started before"))
            }
            do throws(HTTPServerError) {
                let (mailbox, port) = try Self.launch(configuration, handler)
                state = .running(mailbox, port: port)
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try started.get()
    }

    /// Where it listens; 0 unless it is running.
    package var port: Int {
        if case .running(_, let port) = state.withLock({ $0 }) { port } else { 0 }
    }

    /// Stops listening, closes idle connections, and returns when requests in flight have been answered.
    ///
    /// After `grace` their tasks are cancelled, and a second later their connections are cut.
    package func stop() async {
        let mailbox = state.withLock { state -> Mailbox<LoopMessage>? in
            switch state {
            case .new: state = .stopping(nil)
            case .running(let mailbox, _): state = .stopping(mailbox)
            case .stopping: break
            }
            return if case .stopping(let mailbox) = state { mailbox } else { nil }
        }
        guard let mailbox else { return }
        await withCheckedContinuation { continuation in
            mailbox.stop { continuation.resume() }
        }
    }

    private static func launch(
        _ configuration: Configuration, _ handler: any Handler
    ) throws(HTTPServerError) -> (Mailbox<LoopMessage>, Int) {
        let (listening, port) = try Listener.open(address: configuration.address, port: configuration.port)
        do {
            let mailbox = try Mailbox<LoopMessage>(.polled)
            try serve(configuration.fitted(), handler, mailbox, on: listening)
            return (mailbox, port)
        } catch {
            _ = close(listening)
            throw HTTPServerError(code: .system, message: "cannot start the server: \(error)")
        }
    }

    /// Hands everything to a new thread, which makes its own loop, and waits until that serves.
    private static func serve(
        _ configuration: Configuration, _ handler: any Handler, _ mailbox: Mailbox<LoopMessage>,
        on listening: Int32
    ) throws(SystemError) {
        let isReady = DispatchSemaphore(value: 0)
        let hasOpened = Atomic(false)
        _ = try Thread(named: "http-server") {
            let loop = ServerLoop(configuration: configuration, handler: handler, mailbox: mailbox)
            let opened = loop.open(listening: listening)
            hasOpened.store(opened, ordering: .releasing)
            isReady.signal()
            if opened { loop.run() }
        }
        // A moment: the thread opens an epoll and starts MHD.
        isReady.wait()
        guard hasOpened.load(ordering: .acquiring) else {
            throw SystemError(message: "libmicrohttpd does not start")
        }
    }
}

extension HTTPServer.Configuration {
    /// With the limits that the process and MHD's memory impose.
    fileprivate func fitted() -> Self {
        var fitted = self
        var files = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files) == 0 {
            fitted.connectionLimit = max(1, min(connectionLimit, Int(clamping: files.rlim_cur / 2)))
        }
        fitted.headerLimit = min(headerLimit, 24 * 1024)
        return fitted
    }
}
