import JSON

/// An answer as a chat completion, whole or in chunks.
struct ChatJSON {
    let message: MessageJSON
    let form: ChatForm

    /// The whole completion of a plain call.
    func body() -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            writeHead(&json, "chat.completion")
            json.key("choices")
            json.array { $0.object { writeChoice(&$0) } }
            json.key("usage")
            writeUsage(&json)
            json.field("service_tier", "default")
        }
        return json.bytes
    }

    /// The role, the words, the end with its reason (and the counts if they were asked for), `[DONE]`.
    func pieces() -> [EventStream.Piece] {
        let role = chunk {
            $0.field("role", "assistant")
        } content: {
            $0.field("content", "")
        }
        var pieces = [EventStream.Piece(bytes: role)]
        var calls = 0
        for block in message.answer.blocks {
            switch block {
            case .thinking, .search, .found, .compaction: continue
            case .text(let text):
                for part in EventStream.cut(text) {
                    pieces.append(delta(part) { $0.field("content", part) })
                }
            case .toolUse(let id, let name, let input):
                pieces += callPieces(id, name, String(decoding: input, as: UTF8.self), calls)
                calls += 1
            }
        }
        pieces.append(EventStream.Piece(bytes: end() + Array("data: [DONE]\n\n".utf8)))
        return pieces
    }

    static func event(_ data: [UInt8]) -> [UInt8] { Array("data: ".utf8) + data + Array("\n\n".utf8) }

    private var text: String {
        message.answer.blocks.compactMap { if case .text(let text) = $0 { text } else { nil } }.joined()
    }

    private var finishReason: String {
        switch message.answer.stopReason {
        case "max_tokens", "pause_turn": "length"
        case "tool_use": "tool_calls"
        case "refusal": "content_filter"
        default: "stop"
        }
    }

    private func writeHead(_ json: inout JSONWriter, _ object: String) {
        json.field("id", "chatcmpl-" + message.id.dropFirst(4))
        json.field("object", object)
        json.field("created", form.created)
        json.field("model", message.model.id)
        json.field("system_fingerprint", nil as String?)
    }

    private func writeChoice(_ json: inout JSONWriter) {
        json.field("index", 0)
        json.key("message")
        json.object { json in
            json.field("role", "assistant")
            let text = text
            let calls = message.answer.blocks.filter { if case .toolUse = $0 { true } else { false } }
            json.field("content", text.isEmpty && !calls.isEmpty ? nil : text)
            json.field("refusal", nil as String?)
            guard !calls.isEmpty else { return }
            json.key("tool_calls")
            json.array { list in for call in calls { Self.write(call: call, &list) } }
        }
        json.field("logprobs", nil as String?)
        json.field("finish_reason", finishReason)
    }

    private static func write(call: Answer.Block, _ list: inout JSONWriter) {
        guard case .toolUse(let id, let name, let input) = call else { return }
        list.object { json in
            write(call: id, name, arguments: String(decoding: input, as: UTF8.self), &json)
        }
    }

    private static func write(
        call id: String, _ name: String, arguments: String, _ json: inout JSONWriter
    ) {
        json.field("id", id)
        json.field("type", "function")
        json.key("function")
        json.object { json in
            json.field("name", name)
            json.field("arguments", arguments)
        }
    }

    private func writeUsage(_ json: inout JSONWriter) {
        let usage = message.usage
        json.object { json in
            json.field("prompt_tokens", usage.totalInput)
            json.field("completion_tokens", usage.output)
            json.field("total_tokens", usage.totalInput + usage.output)
            json.key("prompt_tokens_details")
            json.object { $0.field("cached_tokens", usage.read) }
            json.key("completion_tokens_details")
            json.object { $0.field("reasoning_tokens", usage.thinking) }
        }
    }
}

/// The chunks of a stream.
extension ChatJSON {
    /// The name goes first, the arguments follow in fragments.
    private func callPieces(_ id: String, _ name: String, _ input: String, _ index: Int) -> [EventStream
        .Piece]
    {
        let start = call(index) { json in
            Self.write(call: id, name, arguments: "", &json)
        }
        let rest = EventStream.cut(input).map { part in
            let bytes = call(index) { json in
                json.key("function")
                json.object { $0.field("arguments", part) }
            }
            return EventStream.Piece(bytes: bytes, tokens: TokenCount.text(part))
        }
        return [EventStream.Piece(bytes: start)] + rest
    }

    private func call(_ index: Int, _ members: (inout JSONWriter) -> Void) -> [UInt8] {
        chunk { json in
            json.key("tool_calls")
            json.array { list in
                list.object { json in
                    json.field("index", index)
                    members(&json)
                }
            }
        }
    }

    private func delta(_ text: String, _ members: (inout JSONWriter) -> Void) -> EventStream.Piece {
        EventStream.Piece(bytes: chunk(members), tokens: TokenCount.text(text))
    }

    private func end() -> [UInt8] {
        let last = chunk(finishReason: finishReason) { _ in }
        guard form.includesUsage else { return last }
        return last
            + event { json in
                json.field("choices", raw: "[]".utf8)
                json.key("usage")
                writeUsage(&json)
            }
    }

    private func chunk(
        finishReason: String? = nil, _ delta: (inout JSONWriter) -> Void,
        content: (inout JSONWriter) -> Void = { _ in }
    ) -> [UInt8] {
        event { json in
            json.key("choices")
            json.array { list in
                list.object { json in
                    json.field("index", 0)
                    json.key("delta")
                    json.object { json in
                        delta(&json)
                        content(&json)
                    }
                    json.field("logprobs", nil as String?)
                    json.field("finish_reason", finishReason)
                }
            }
            if form.includesUsage { json.field("usage", nil as String?) }
        }
    }

    private func event(_ members: (inout JSONWriter) -> Void) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            writeHead(&json, "chat.completion.chunk")
            members(&json)
        }
        return Self.event(json.bytes)
    }
}

extension APIError {
    /// The error in OpenAI's shape.
    func chatBody() -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.key("error")
            json.object { error in
                error.field("message", message)
                error.field("type", type)
                error.field("param", nil as String?)
                error.field("code", code)
            }
        }
        return json.bytes
    }
}
