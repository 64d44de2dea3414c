import CMicroHTTPD
import Glibc
import System

/// A request's way in: request line, headers, body.
extension ServerLoop {
    /// The request line has come.
    func opened(_ connection: Connection, target: UnsafePointer<CChar>) -> Exchange {
        let exchange = Exchange(id: nextID(), connection: connection, target: target)
        connection.exchange = exchange
        connection.isFresh = false
        connection.idleSince = nil
        let deadline = now + configuration.headerDeadline.milliseconds
        if deadline < connection.deadline { setDeadline(deadline, for: connection) }
        return exchange
    }

    /// MHD has the headers, a piece of the body, its end, or was asked to check again.
    func advance(_ exchange: Exchange, _ call: CallArguments) -> MHD_Result {
        if case .opening = exchange.stage { return headersCame(exchange, call) }
        if call.size.pointee > 0 { return bodyCame(exchange, call) }
        return requestCame(exchange)
    }

    private func headersCame(_ exchange: Exchange, _ call: CallArguments) -> MHD_Result {
        inFlight += 1
        let connection = exchange.connection
        let fields = HeadReader(
            connection.handle, call, target: exchange.target, length: exchange.targetLength)
        guard let fields else { return .NO }
        let head = head(of: exchange, fields, call)
        exchange.head = head
        exchange.bodySince = now
        exchange.isHTTP10 = call.version.map { strcmp($0, "HTTP/1.1") != 0 } ?? true
        setDeadline(now + configuration.bodyDeadline.milliseconds, for: connection)
        // Where the request ends is unclear, or will be: others find other ends of chunks, behind a bare LF or in an extension.
        exchange.isLast = fields.problem != nil || fields.isChunked
        if let problem = fields.problem {
            return answer(exchange, handler.refuse(.badRequest(problem), head: head))
        }
        if let refusal = refusal(of: exchange, head) { return refuse(exchange, refusal, fields) }
        let reception = handler.receive(head)
        exchange.reception = reception
        switch reception.body {
        case .collect(let limit): return collect(exchange, upTo: limit, fields)
        case .stream: return stream(exchange)
        }
    }

    private func head(of exchange: Exchange, _ fields: HeadReader, _ call: CallArguments) -> RequestHead {
        let target = exchange.target
        return RequestHead(
            method: call.method.map { String(cString: $0) } ?? "", path: target.path, rawPath: target.rawPath,
            query: target.query, headers: Headers(fields.headers),
            remoteAddress: exchange.connection.remoteAddress, id: requestIDs.next())
    }

    private func refusal(of exchange: Exchange, _ head: RequestHead) -> Refusal? {
        let connection = exchange.connection
        if let refusal = exchange.target.refusal { return refusal }
        if cmhd_header_size(connection.handle) > configuration.headerLimit {
            return .headersTooLarge(limit: configuration.headerLimit)
        }
        if connection.isSurplus {
            if isOverLimit(connection) { return .tooManyConnections }
            connection.isSurplus = false
            surplus -= 1
        }
        return nil
    }

    /// Answers after the body: clients that are still sending would otherwise see a broken pipe, not the answer.
    ///
    /// Those that asked first ("expect: 100-continue") get it at once.
    private func refuse(_ exchange: Exchange, _ refusal: Refusal, _ fields: HeadReader? = nil) -> MHD_Result {
        _ = configuration.bodyMemory.change(from: exchange.body.count, to: 0)
        exchange.body = []
        let response = handler.refuse(refusal, head: exchange.head)
        if let fields, fields.expectsContinue { return answer(exchange, response) }
        exchange.stage = .draining(response)
        return .YES
    }

    private func collect(_ exchange: Exchange, upTo limit: Int, _ fields: HeadReader) -> MHD_Result {
        let length = fields.contentLength ?? 0
        if length > limit { return refuse(exchange, .bodyTooLarge(limit: limit), fields) }
        guard configuration.bodyMemory.hasRoom(for: length) else {
            return refuse(exchange, .overloaded, fields)
        }
        // What is announced is not believed beyond this: memory follows the bytes that come.
        if length > 0 { exchange.body.reserveCapacity(min(length, 256 * 1024)) }
        exchange.stage = .collecting(limit: limit)
        return .YES
    }

    private func stream(_ exchange: Exchange) -> MHD_Result {
        let (mailbox, id) = (mailbox, exchange.id)
        let buffer = BodyBuffer(limit: configuration.streamBuffer) { mailbox.wake(id) }
        exchange.stage = .streaming(buffer)
        dispatch(exchange, .stream(BodyStream(buffer: buffer)), whenDone: buffer.abandon)
        return .YES
    }

    private func bodyCame(_ exchange: Exchange, _ call: CallArguments) -> MHD_Result {
        let bytes = UnsafeRawBufferPointer(start: call.data, count: call.size.pointee)
        switch exchange.stage {
        case .collecting(let limit):
            if exchange.body.count + bytes.count > limit {
                _ = refuse(exchange, .bodyTooLarge(limit: limit))
                drop(exchange, bytes.count)
            } else if !grow(exchange, by: bytes.count) {
                _ = refuse(exchange, .overloaded)
                drop(exchange, bytes.count)
            } else {
                exchange.body.append(contentsOf: bytes)
            }
        case .streaming(let buffer):
            switch buffer.offer(bytes) {
            case .taken: break
            case .unwanted: drop(exchange, bytes.count)
            case .full:
                suspend(exchange)
                return .YES
            }
        case .draining, .lingering: drop(exchange, bytes.count)
        case .opening, .waiting, .answering: return .NO
        }
        exchange.received += bytes.count
        call.size.pointee = 0
        return .YES
    }

    private func grow(_ exchange: Exchange, by count: Int) -> Bool {
        configuration.bodyMemory.change(from: exchange.body.count, to: exchange.body.count + count)
    }

    /// Beyond the bound the sender gets the answer past MHD, a moment to read it, and is cut.
    private func drop(_ exchange: Exchange, _ count: Int) {
        exchange.dropped += count
        if case .lingering = exchange.stage { return }
        guard exchange.dropped > configuration.drainLimit else { return }
        if case .draining(let response) = exchange.stage {
            exchange.connection.send(ReplyBody.bytes(response, id: exchange.head?.id))
        }
        _ = shutdown(exchange.connection.socket, Int32(SHUT_WR))
        exchange.stage = .lingering
        setDeadline(now + Self.lingerTime, for: exchange.connection)
    }

    private static let lingerTime: Int64 = 2000

    /// The whole request is here; also called again after each wake.
    private func requestCame(_ exchange: Exchange) -> MHD_Result {
        exchange.connection.deadline = .max
        switch exchange.stage {
        case .collecting:
            let body = exchange.body
            dispatch(exchange, .bytes(body), inline: body.count <= configuration.inlineBodyLimit)
        case .streaming(let buffer): buffer.end(isCut: false)
        case .draining(let response): return answer(exchange, response)
        case .waiting: break
        case .opening, .lingering, .answering: return .NO
        }
        if let answer = exchange.reply?.take() { return send(answer, for: exchange) }
        exchange.stage = .waiting
        if exchange.connection.isHungUp { exchange.task?.cancel() }
        awaiting.append(exchange)
        return .YES
    }
}
