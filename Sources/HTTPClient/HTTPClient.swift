import System

/// Makes HTTP/1.1 calls, thousands at a time, on one thread of its own.
///
/// libcurl's multi interface runs under epoll on that thread; callers reach it through a mailbox and are resumed
/// by it. Connections are kept for reuse for 30 s. Nothing is repeated here but what `mayRepeat` allows.
package final class HTTPClient: Sendable {
    private let mailbox: Mailbox<LoopCommand>

    /// `maxConnections` is how many calls fly at once; more wait their turn, and 200 are always granted.
    ///
    /// Each takes a file descriptor. Proxies are taken from the environment as libcurl does, but never for loopback.
    package init(maxConnections: Int = 200, authorities: Authorities = .standard) {
        // libcurl counts busy connections into its cache: a cache below the calls in flight would keep none.
        mailbox = EventLoop.start(connections: max(200, maxConnections), authorities: authorities)
    }

    deinit {
        shutdown()
    }

    /// Returns any whole answer, whatever its status; throws `HTTPClientError` for everything else.
    package func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        let exchange = Exchange(request)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                start(exchange, .whole(continuation))
            }
        } onCancel: {
            exchange.cancel(through: mailbox)
        }
    }

    /// Returns when the head of the answer has come; throws `HTTPClientError` when none does.
    package func stream(_ request: HTTPRequest) async throws -> HTTPStream {
        let exchange = Exchange(request)
        let buffer = StreamBuffer()
        let lifeline = Lifeline(exchange: exchange, buffer: buffer, mailbox: mailbox)
        start(exchange, .stream(buffer))
        let head = try await lifeline.head()
        return HTTPStream(status: head.status, headers: head.headers, body: HTTPBody(lifeline: lifeline))
    }

    /// Ends the thread soon; all calls in flight and all later ones fail with `cancelled`.
    package func shutdown() {
        mailbox.close()
    }

    private func start(_ exchange: Exchange, _ delivery: Delivery) {
        if let defect = exchange.request.defect {
            delivery.fail(HTTPClientError(code: .protocolError, message: defect, maySent: false))
        } else if mailbox.post(.start(exchange, delivery)) != nil {
            delivery.fail(.shutDown)
        }
    }
}

extension HTTPClientError {
    static let shutDown = HTTPClientError(
        code: .cancelled, message: "the client has been shut down", maySent: false)
}
