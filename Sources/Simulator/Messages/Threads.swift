import Synchronization

/// Conversations that live here: how long each is, by the id of its last answer.
final class Threads: Sendable {
    /// Beyond it all are forgotten, so that memory stays bounded.
    private static let most = 100_000

    private let lengths = Mutex<[String: Int]>([:])

    /// The call with what its conversation held before.
    func resume(_ call: MessagesCall) throws(APIError) -> MessagesCall {
        guard case .goOn(let id) = call.thread else { return call }
        guard let length = lengths.withLock({ $0[id] }) else {
            throw .invalid("thread.continue.previous_message_id: no thread ends in \"\(id)\"")
        }
        var call = call
        call.promptTokens += length
        guard call.promptTokens <= call.model.contextWindow else {
            throw .invalid(
                "prompt is too long: \(call.promptTokens) tokens > \(call.model.contextWindow) maximum")
        }
        return call
    }

    func keep(_ call: MessagesCall, _ message: MessageJSON) {
        guard call.thread != nil else { return }
        lengths.withLock { lengths in
            if lengths.count >= Self.most { lengths = [:] }
            lengths[message.id] = call.promptTokens + message.usage.output
        }
    }

    func reset() {
        lengths.withLock { $0 = [:] }
    }
}
