import JSON
package import Jobs

/// A whole Message as the events of a stream, in the order and shapes in which the Messages API sends them.
package enum MessageReplay {
    /// All events, `message_stop` among them; nil for what is no Message.
    package static func events(of message: [UInt8]) -> [AnswerEvent]? {
        guard let json = try? JSON.parse(message, maxDepth: JSON.deepest), json.kind == .object,
            let blocks = json["content"]?.elements
        else { return nil }
        var events = [start(json)]
        for (index, block) in blocks.enumerated() { events += self.events(of: block, at: index) }
        return events + [end(json), .messageStop]
    }

    /// What is known only at the end is not said at the start.
    private static func start(_ message: JSON) -> AnswerEvent {
        event("message_start") { writer in
            writer.key("message")
            writer.object { writer in
                for (key, value) in message.members ?? [] {
                    switch key {
                    case "content": writer.field("content", raw: Array("[]".utf8))
                    case "stop_reason", "stop_sequence", "stop_details":
                        writer.field(key, raw: Array("null".utf8))
                    case "usage": writer.field("usage", raw: startUsage(value))
                    default: writer.field(key, raw: Array(value.raw))
                    }
                }
                if message["usage"] == nil { writer.field("usage", raw: startUsage(nil)) }
            }
        }
    }

    private static func startUsage(_ usage: JSON?) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            for (key, value) in usage?.members ?? [] where key != "output_tokens" {
                writer.field(key, raw: Array(value.raw))
            }
            if usage?["input_tokens"] == nil { writer.field("input_tokens", 0) }
            writer.field("output_tokens", min(1, usage?["output_tokens"]?.int ?? 0))
        }
        return writer.bytes
    }

    private static func end(_ message: JSON) -> AnswerEvent {
        event("message_delta") { writer in
            writer.key("delta")
            writer.object { writer in
                for key in ["stop_reason", "stop_sequence", "stop_details"] {
                    guard let value = message[key] else { continue }
                    writer.field(key, raw: Array(value.raw))
                }
            }
            writer.field(
                "usage", raw: message["usage"].map { Array($0.raw) } ?? Array(#"{"output_tokens":0}"#.utf8))
        }
    }

    private static func events(of block: JSON, at index: Int) -> [AnswerEvent] {
        let kind = block["type"]?.string ?? ""
        var start = Members(of: block)
        var deltas: [[UInt8]] = []
        switch kind {
        case "text":
            deltas.append(delta("text_delta", "text", block["text"]))
            deltas += (block["citations"]?.elements ?? []).map { delta("citations_delta", "citation", $0) }
            start.empty("text", as: "\"\"")
            if block["citations"]?.elements != nil { start.empty("citations", as: "[]") }
        case "thinking":
            deltas.append(delta("thinking_delta", "thinking", block["thinking"]))
            if let signature = block["signature"] {
                deltas.append(delta("signature_delta", "signature", signature))
            }
            start.empty("thinking", as: "\"\"")
            start.empty("signature", as: "\"\"")
        case "tool_use", "server_tool_use":
            deltas.append(inputDelta(block["input"]))
            start.empty("input", as: "{}")
        default:
            break
        }
        return [event("content_block_start", at: index) { $0.field("content_block", raw: start.json) }]
            + deltas.map { delta in event("content_block_delta", at: index) { $0.field("delta", raw: delta) }
            }
            + [event("content_block_stop", at: index)]
    }

    private static func delta(_ type: String, _ key: String, _ value: JSON?) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("type", type)
            writer.field(key, raw: value.map { Array($0.raw) } ?? Array("\"\"".utf8))
        }
        return writer.bytes
    }

    private static func inputDelta(_ input: JSON?) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("type", "input_json_delta")
            writer.field("partial_json", input.map { String(decoding: $0.raw, as: UTF8.self) } ?? "")
        }
        return writer.bytes
    }

    private static func event(
        _ name: String, at index: Int? = nil, _ body: (inout JSONWriter) -> Void = { _ in }
    ) -> AnswerEvent {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("type", name)
            if let index { writer.field("index", index) }
            body(&writer)
        }
        return AnswerEvent(name: name, data: writer.bytes)
    }

    /// A block's members, of which some come later.
    private struct Members {
        private var list: [(key: String, raw: [UInt8])]

        init(of block: JSON) {
            list = (block.members ?? []).map { ($0.key, Array($0.value.raw)) }
        }

        mutating func empty(_ key: String, as raw: String) {
            list.removeAll { $0.key == key }
            list.append((key, Array(raw.utf8)))
        }

        var json: [UInt8] {
            var writer = JSONWriter()
            writer.object { writer in
                for (key, raw) in list { writer.field(key, raw: raw) }
            }
            return writer.bytes
        }
    }
}
