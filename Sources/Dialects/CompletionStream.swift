import JSON
package import Jobs

/// The events of a Message as chunks of a chat completion, one after the other.
///
/// First the role, then texts and calls as they come, the reason to stop, the usage if it was asked for, `[DONE]`.
package struct CompletionStream: Sendable {
    private let created: Int64
    private let includesUsage: Bool
    private var id = ""
    private var model = ""
    private var usage = CompletionUsage()
    /// Calls of tools by their blocks' indices.
    private var calls: [Int: Call] = [:]
    private var hasFinished = false
    private var isBroken = false

    private struct Call {
        var place: Int
        /// What its arguments are if no piece of them comes.
        var whole: String
        var hasPieces = false
    }

    package init(created: Timestamp, includesUsage: Bool) {
        self.created = created.milliseconds / 1000
        self.includesUsage = includesUsage
    }

    /// The lines that tell of some events.
    package mutating func lines(of events: [AnswerEvent]) -> [UInt8] {
        var lines: [UInt8] = []
        for event in events {
            // Whoever reads the stream has refused the kinds used here if they are no JSON.
            guard let data = try? JSON.parse(event.data, maxDepth: JSON.deepest) else { continue }
            take(event.name, data, &lines)
        }
        return lines
    }

    /// The end of a whole answer; nothing after an `error` event.
    package func end() -> [UInt8] {
        guard !isBroken else { return [] }
        var lines: [UInt8] = []
        if includesUsage { append(chunk(usage: usage) { _ in }, to: &lines) }
        lines += "data: [DONE]\n\n".utf8
        return lines
    }

    /// How a stream says that it broke off: clients raise an error for it.
    package static func line(failure type: String, _ message: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { CompletionError(type: type, message: message).write(to: &$0) }
        return Array("data: ".utf8) + writer.bytes + Array("\n\n".utf8)
    }

    private mutating func take(_ name: String, _ data: JSON, _ lines: inout [UInt8]) {
        switch name {
        case "message_start":
            id = data["message"]?["id"]?.string ?? ""
            model = data["message"]?["model"]?.string ?? ""
            usage.note(data["message"]?["usage"])
            append(
                delta { writer in
                    writer.field("role", "assistant")
                    writer.field("content", "")
                }, to: &lines)
        case "content_block_start": begin(data, &lines)
        case "content_block_delta": extend(data, &lines)
        case "content_block_stop": finish(data, &lines)
        case "message_delta":
            usage.note(data["usage"])
            stop(data["delta"], &lines)
        case "error":
            isBroken = true
            let error = data["error"]
            lines += Self.line(
                failure: error?["type"]?.string ?? "api_error",
                error?["message"]?.string ?? "the answer broke off")
        default: break
        }
    }
}

// MARK: - Blocks

extension CompletionStream {
    private mutating func begin(_ data: JSON, _ lines: inout [UInt8]) {
        guard let index = data["index"]?.int, let block = data["content_block"] else { return }
        switch block["type"]?.string {
        case "text": append(text: block["text"]?.string, to: &lines)
        case "tool_use":
            let input = ToolArguments.text(of: block["input"])
            let place = calls.count
            calls[index] = Call(place: place, whole: input)
            append(
                call(place) { writer in
                    writer.field("id", block["id"]?.string ?? "")
                    writer.field("type", "function")
                    writer.key("function")
                    writer.object { writer in
                        writer.field("name", block["name"]?.string ?? "")
                        writer.field("arguments", "")
                    }
                }, to: &lines)
        default: break
        }
    }

    private mutating func extend(_ data: JSON, _ lines: inout [UInt8]) {
        let piece = data["delta"]
        switch piece?["type"]?.string {
        case "text_delta": append(text: piece?["text"]?.string, to: &lines)
        case "input_json_delta":
            guard let index = data["index"]?.int, let call = calls[index],
                let json = piece?["partial_json"]?.string, !json.isEmpty
            else { return }
            calls[index]?.hasPieces = true
            append(arguments: json, of: call, to: &lines)
        default: break
        }
    }

    /// A call without arguments streams none, and clients read what came as JSON.
    private mutating func finish(_ data: JSON, _ lines: inout [UInt8]) {
        guard let index = data["index"]?.int, let call = calls[index], !call.hasPieces else { return }
        calls[index]?.hasPieces = true
        append(arguments: call.whole, of: call, to: &lines)
    }

    /// `message_delta` may come several times; the reason is given once.
    private mutating func stop(_ ending: JSON?, _ lines: inout [UInt8]) {
        guard let reason = ending?["stop_reason"]?.string, !hasFinished else { return }
        hasFinished = true
        if let refusal = CompletionAnswer.refusal(ending) {
            append(delta { $0.field("refusal", refusal) }, to: &lines)
        }
        append(delta(finish: CompletionAnswer.finishReason(reason)) { _ in }, to: &lines)
    }
}

// MARK: - Chunks

extension CompletionStream {
    private func append(text: String?, to lines: inout [UInt8]) {
        guard let text, !text.isEmpty else { return }
        append(delta { $0.field("content", text) }, to: &lines)
    }

    private func append(arguments: String, of call: Call, to lines: inout [UInt8]) {
        append(
            self.call(call.place) { writer in
                writer.key("function")
                writer.object { $0.field("arguments", arguments) }
            }, to: &lines)
    }

    private func call(_ place: Int, _ members: (inout JSONWriter) -> Void) -> [UInt8] {
        delta { writer in
            writer.key("tool_calls")
            writer.array { writer in
                writer.object { writer in
                    writer.field("index", place)
                    members(&writer)
                }
            }
        }
    }

    private func delta(finish: String? = nil, _ members: (inout JSONWriter) -> Void) -> [UInt8] {
        chunk { writer in
            writer.object { writer in
                writer.field("index", 0)
                writer.key("delta")
                writer.object(members)
                writer.field("logprobs", nil as String?)
                writer.field("finish_reason", finish)
            }
        }
    }

    private func chunk(usage: CompletionUsage? = nil, _ choices: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("id", "chatcmpl-" + id)
            writer.field("object", "chat.completion.chunk")
            writer.field("created", created)
            writer.field("model", model)
            writer.key("choices")
            writer.array(choices)
            guard includesUsage else { return }
            writer.key("usage")
            if let usage { usage.write(to: &writer) } else { writer.null() }
        }
        return writer.bytes
    }

    private func append(_ chunk: [UInt8], to lines: inout [UInt8]) {
        lines += "data: ".utf8
        lines += chunk
        lines += "\n\n".utf8
    }
}
