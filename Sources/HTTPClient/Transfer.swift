import CCurl
import CrashPoint
import System

/// One call on the event loop's thread: what libcurl has reported so far.
final class Transfer {
    let exchange: Exchange
    let delivery: Delivery
    let origin: String
    /// Nil while it waits for a connection.
    var easy: EasyHandle?
    var deadlines: Deadlines
    /// Why one of the callbacks, or a deadline, broke it off: says more than libcurl's own code.
    var failure: (code: HTTPClientError.Code, message: String)?
    /// It has been started, and its request has not been written yet.
    var isOpening = false
    /// Its caller has the result; it may still be in the queue of waiting calls.
    var isEnded = false
    private(set) var maySent = false
    private(set) var body: [UInt8] = []
    private unowned let loop: EventLoop
    private var parser = ResponseHeadParser()
    private var received = 0

    init(_ exchange: Exchange, _ delivery: Delivery, loop: EventLoop, now: Int64) {
        self.loop = loop
        self.exchange = exchange
        self.delivery = delivery
        origin = exchange.request.origin
        deadlines = Deadlines(exchange.request, now: now)
    }

    var head: ResponseHead? { parser.head }

    /// Hands the outcome to the caller; the last thing that happens here.
    func end(_ error: HTTPClientError?) {
        if var error {
            if case .whole = delivery, let head, head.status >= 300, error.code != .cancelled {
                error.beginning = HTTPResponse(status: head.status, headers: head.headers, body: body)
            }
            return delivery.fail(error)
        }
        switch delivery {
        case .stream(let buffer): buffer.end(nil)
        case .whole(let continuation):
            guard let head else { preconditionFailure("a transfer ended well without a head") }
            let response = HTTPResponse(status: head.status, headers: head.headers, body: body)
            continuation.resume(returning: response)
        }
    }

    // MARK: what libcurl reports

    /// False to go no further: it is a repetition that the caller does not want.
    private func connected() -> Bool {
        guard !maySent || exchange.request.mayRepeat else {
            failure = (.reset, "the kept connection ended without an answer")
            return false
        }
        maySent = true
        deadlines.connected(now: monotonicMilliseconds())
        loop.opened(self)
        loop.deadlineChanged(self)
        crashPoint("request-connected")
        return true
    }

    private func took(header line: String) -> Bool {
        switch parser.take(line) {
        case .inside: deadlines.answering(now: monotonicMilliseconds())
        case .informational: deadlines.awaitingAgain()
        case .trailer: break
        case .malformed:
            failure = (.protocolError, "the head of the answer is too long or not HTTP")
            return false
        case .complete:
            deadlines.answering(now: monotonicMilliseconds())
            deadlines.headEnded()
            if case .stream(let buffer) = delivery, let head { buffer.begin(head) }
            crashPoint("answer-begun")
        }
        loop.deadlineChanged(self)
        return true
    }

    private func took(body piece: UnsafeRawBufferPointer) -> Int {
        let limit = exchange.request.maxResponseBytes
        guard received + piece.count <= limit else {
            failure = (.tooLarge, "the answer has more than \(limit) bytes")
            return ccurl_break_off
        }
        switch delivery {
        case .whole: body.append(contentsOf: piece)
        case .stream(let buffer):
            guard buffer.push(piece) else {
                deadlines.paused()
                return ccurl_pause
            }
        }
        received += piece.count
        crashPoint("answer-partly-read")
        return piece.count
    }

    // MARK: C callbacks

    static func at(_ pointer: UnsafeMutableRawPointer?) -> Transfer? {
        pointer.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }

    static let onConnected: curl_prereq_callback = { owner, _, _, _, _ in
        at(owner)?.connected() == true ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
    }

    static let onHeader: curl_write_callback = { bytes, size, count, owner in
        guard let transfer = at(owner) else { return ccurl_break_off }
        let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
        return transfer.took(header: String(decoding: line, as: UTF8.self)) ? line.count : ccurl_break_off
    }

    static let onBody: curl_write_callback = { bytes, size, count, owner in
        guard let transfer = at(owner) else { return ccurl_break_off }
        return transfer.took(body: UnsafeRawBufferPointer(start: bytes, count: size * count))
    }

    static let onProgress: curl_xferinfo_callback = { owner, _, downloaded, _, uploaded in
        guard let transfer = at(owner) else { return 0 }
        _ = transfer.deadlines.moved(
            uploaded: Int(uploaded), downloaded: Int(downloaded), now: monotonicMilliseconds())
        if uploaded > 0, uploaded < transfer.exchange.request.body.count {
            crashPoint("request-partly-sent")
        }
        return 0
    }
}
