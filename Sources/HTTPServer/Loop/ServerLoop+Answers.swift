import CMicroHTTPD
import System

/// The handler's task, and the answer it leaves.
extension ServerLoop {
    func dispatch(
        _ exchange: Exchange, _ body: Request.Body, inline: Bool = false,
        whenDone: @escaping @Sendable () -> Void = {}
    ) {
        guard let head = exchange.head, let reception = exchange.reception else { return }
        let (mailbox, id) = (mailbox, exchange.id)
        let reply = Reply { mailbox.wake(id) }
        exchange.reply = reply
        let work = Work(
            respond: reception.respond, request: Request(head: head, body: body), reply: reply,
            whenDone: whenDone,
            mailbox: mailbox, executor: executor, id: id, streamBuffer: configuration.streamBuffer)
        executor.taskStarts()
        if inline, reception.isBrief {
            runTasks { exchange.task = Task(executorPreference: executor) { await work.run() } }
        } else if inline {
            exchange.task = Task.immediate { await work.run() }
        } else {
            exchange.task = Task { await work.run() }
        }
    }

    func answer(_ exchange: Exchange, _ response: Response) -> MHD_Result {
        send(Reply.ReplyBody(response: response, output: nil), for: exchange)
    }

    func send(_ answer: Reply.ReplyBody, for exchange: Exchange) -> MHD_Result {
        let response = answer.response
        exchange.stage = .answering
        exchange.output = answer.output
        exchange.connection.deadline = .max
        let closes = isStopping || exchange.isLast || exchange.connection.isSurplus
        if response.breakage == .reset {
            exchange.connection.reset()
            return .NO
        }
        let created: OpaquePointer? =
            if case .short(let length) = response.breakage {
                ReplyBody.short(response, of: length, id: exchange.head?.id)
            } else if answer.output == nil, case .stream = response.body, exchange.head?.method == "HEAD" {
                ReplyBody.headOfStream(response, id: exchange.head?.id)
            } else if case .stream = response.body, response.hasBody {
                ReplyBody.streaming(
                    response, source: StreamSource(loop: self, exchange: exchange), id: exchange.head?.id,
                    closes: closes)
            } else {
                ReplyBody.whole(response, id: exchange.head?.id, closes: closes)
            }
        guard let created else { return .NO }
        defer { MHD_destroy_response(created) }
        if exchange.connection.isHungUp { stopProducing(exchange) }
        let status = (200...599).contains(response.status) ? response.status : 500
        return MHD_queue_response(exchange.connection.handle, UInt32(status), created)
    }

    /// Time in which the handler, not the client, was slow does not count against the body's deadline.
    func woken(_ exchange: Exchange) {
        if case .streaming = exchange.stage {
            exchange.bodySince = now
            exchange.received = 0
        }
    }

    /// The peer has closed its side, and MHD has not closed ours.
    func noticeHangUp(_ connection: Connection) {
        connection.isHungUp = true
        guard let exchange = connection.exchange else { return nudge(connection) }
        switch exchange.stage {
        case .waiting: exchange.task?.cancel()
        case .answering:
            stopProducing(exchange)
            wake(exchange.id)
        // MHD reads what came before the end, and then finds it.
        case .opening, .collecting, .streaming, .draining, .lingering: nudge(connection)
        }
    }

    private func stopProducing(_ exchange: Exchange) {
        if let output = exchange.output, output.close() { exchange.task?.cancel() }
    }

    /// The answer is sent, or the connection is gone; MHD has forgotten the request.
    func ended(_ exchange: Exchange) {
        switch exchange.stage {
        case .streaming(let buffer): buffer.end(isCut: true)
        case .waiting: exchange.task?.cancel()
        case .answering: stopProducing(exchange)
        case .opening, .collecting, .draining, .lingering: break
        }
        if exchange.head != nil { inFlight -= 1 }
        _ = configuration.bodyMemory.change(from: exchange.body.count, to: 0)
        let connection = exchange.connection
        connection.exchange = nil
        connection.idleSince = now
        if connection.isHungUp { hungUp.append(connection.id) }
        setDeadline(now + configuration.idleTimeout.milliseconds, for: connection)
    }
}
