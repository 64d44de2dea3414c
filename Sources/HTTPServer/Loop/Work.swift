import System

/// What a handler's task needs, and nothing of the server's thread.
struct Work: Sendable {
    let respond: @Sendable (Request) async -> Response
    let request: Request
    let reply: Reply
    let whenDone: @Sendable () -> Void
    let mailbox: Mailbox<LoopMessage>
    let executor: LoopExecutor
    let id: UInt64
    let streamBuffer: Int

    func run() async {
        let response = await respond(request)
        if case .stream(let produce) = response.body, response.hasBody, request.head.method != "HEAD" {
            let output = OutputBuffer(limit: streamBuffer) { [mailbox, id] in mailbox.wake(id) }
            give(Reply.ReplyBody(response: response, output: output))
            do {
                try await produce(ResponseWriter(buffer: output))
                output.finish(isBroken: false)
            } catch {
                output.finish(isBroken: true)
            }
        } else {
            give(Reply.ReplyBody(response: response, output: nil))
        }
        executor.taskEnds()
    }

    private func give(_ answer: Reply.ReplyBody) {
        reply.give(answer)
        whenDone()
    }
}
