/// In whose words a call came and is answered; what is said is the same in both.
enum Dialect: Sendable {
    /// Anthropic's Messages.
    case messages
    /// OpenAI's chat completions.
    case chat(ChatForm)

    /// As the journal names it.
    var endpoint: String {
        switch self {
        case .messages: "messages"
        case .chat: "chat/completions"
        }
    }

    var isChat: Bool {
        if case .chat = self { true } else { false }
    }

    /// The whole answer of a plain call.
    func body(of message: MessageJSON) -> [UInt8] {
        switch self {
        case .messages: message.body()
        case .chat(let form): ChatJSON(message: message, form: form).body()
        }
    }

    func pieces(of message: MessageJSON) -> [EventStream.Piece] {
        switch self {
        case .messages: EventStream(message: message).pieces()
        case .chat(let form): ChatJSON(message: message, form: form).pieces()
        }
    }

    /// What is sent when there is nothing to say yet: relays send comments.
    var ping: [UInt8] {
        switch self {
        case .messages: EventStream.ping
        case .chat: Array(": still writing\n\n".utf8)
        }
    }

    /// The event by which a stream breaks off.
    func error(_ error: APIError) -> [UInt8] {
        switch self {
        case .messages: EventStream.error(error)
        case .chat: ChatJSON.event(error.chatBody())
        }
    }

    /// An event that is no JSON.
    var brokenEvent: [UInt8] {
        switch self {
        case .messages:
            Array(
                ("event: content_block_delta\n"
                    + "data: {\"type\":\"content_block_delta\",\"index\":0,\"del\n\n").utf8)
        case .chat: Array("data: {\"object\":\"chat.completion.chunk\",\"cho\n\n".utf8)
        }
    }
}

/// What one chat completion's form depends on beside its message.
struct ChatForm: Sendable {
    /// Seconds since 1970.
    var created: Int64
    /// Whether a stream ends with the counts: `stream_options.include_usage`.
    var includesUsage = false
}
