import JSON
package import Jobs

/// A Message as a chat completion, whole or in chunks.
package enum CompletionAnswer {
    /// Nil for what is no Message.
    package static func completion(of message: [UInt8], created: Timestamp) -> [UInt8]? {
        guard let json = try? JSON.parse(message, maxDepth: JSON.deepest),
            let blocks = json["content"]?.elements
        else { return nil }
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("id", "chatcmpl-" + (json["id"]?.string ?? ""))
            writer.field("object", "chat.completion")
            writer.field("created", created.milliseconds / 1000)
            writer.field("model", json["model"]?.string ?? "")
            writer.key("choices")
            writer.array { writer in
                writer.object { writer in
                    writer.field("index", 0)
                    writer.key("message")
                    writer.object { write(blocks, &$0) }
                    writer.field("logprobs", nil as String?)
                    writer.field("finish_reason", finishReason(json["stop_reason"]?.string))
                }
            }
            writer.field("usage", raw: usage(json["usage"]))
        }
        return writer.bytes
    }

    private static func write(_ blocks: [JSON], _ writer: inout JSONWriter) {
        let text = blocks.compactMap { $0["type"]?.string == "text" ? $0["text"]?.string : nil }.joined()
        let uses = blocks.filter { $0["type"]?.string == "tool_use" }
        writer.field("role", "assistant")
        if text.isEmpty, !uses.isEmpty {
            writer.field("content", nil as String?)
        } else {
            writer.field("content", text)
        }
        writer.field("refusal", nil as String?)
        guard !uses.isEmpty else { return }
        writer.key("tool_calls")
        writer.array { writer in
            for use in uses {
                writer.object { writer in
                    writer.field("id", use["id"]?.string ?? "")
                    writer.field("type", "function")
                    writer.key("function")
                    writer.object { writer in
                        writer.field("name", use["name"]?.string ?? "")
                        writer.field(
                            "arguments", use["input"].map { String(decoding: $0.raw, as: UTF8.self) } ?? "{}")
                    }
                }
            }
        }
    }

    static func finishReason(_ stopReason: String?) -> String {
        switch stopReason {
        case "max_tokens", "model_context_window_exceeded", "pause_turn", "compaction": "length"
        case "tool_use": "tool_calls"
        case "refusal": "content_filter"
        default: "stop"
        }
    }

    static func usage(_ usage: JSON?) -> [UInt8] {
        func count(_ name: String) -> Int { usage?[name]?.int ?? 0 }
        let (read, written) = (count("cache_read_input_tokens"), count("cache_creation_input_tokens"))
        let prompt = count("input_tokens") + read + written
        let completion = count("output_tokens")
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("prompt_tokens", prompt)
            writer.field("completion_tokens", completion)
            writer.field("total_tokens", prompt + completion)
            writer.key("prompt_tokens_details")
            writer.object { writer in
                writer.field("cached_tokens", read)
                writer.field("cache_write_tokens", written)
            }
            writer.key("completion_tokens_details")
            writer.object {
                $0.field("reasoning_tokens", usage?["output_tokens_details"]?["thinking_tokens"]?.int ?? 0)
            }
        }
        return writer.bytes
    }
}

/// The events of a Message as chunks of a chat completion, one after the other.
package struct CompletionStream: Sendable {
    private let created: Int64
    private let includesUsage: Bool
    private var id = ""
    private var model = ""
    private var usage: [String: Int] = [:]
    private var thinking = 0
    /// Places of tool calls, by their blocks' indices.
    private var calls: [Int: Int] = [:]

    package init(created: Timestamp, includesUsage: Bool) {
        self.created = created.milliseconds / 1000
        self.includesUsage = includesUsage
    }

    /// The lines that tell of some events.
    package mutating func lines(of events: [AnswerEvent]) -> [UInt8] {
        var lines: [UInt8] = []
        for event in events {
            guard let data = try? JSON.parse(event.data, maxDepth: JSON.deepest) else { continue }
            take(event.name, data, &lines)
        }
        return lines
    }

    /// The end of a whole answer.
    package func end() -> [UInt8] {
        var lines: [UInt8] = []
        if includesUsage {
            var counts = JSONWriter()
            counts.object { writer in
                for (name, count) in usage.sorted(by: { $0.key < $1.key }) { writer.field(name, count) }
                writer.key("output_tokens_details")
                writer.object { $0.field("thinking_tokens", thinking) }
            }
            let parsed = try? JSON.parse(counts.bytes)
            append(chunk(choices: nil, usage: CompletionAnswer.usage(parsed)), to: &lines)
        }
        lines += "data: [DONE]\n\n".utf8
        return lines
    }

    /// How a stream says that it broke off: clients raise an error for it.
    package static func line(failure type: String, _ message: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.key("error")
            writer.object { writer in
                writer.field("message", message)
                writer.field("type", type)
                writer.field("param", nil as String?)
                writer.field("code", nil as String?)
            }
        }
        return Array("data: ".utf8) + writer.bytes + Array("\n\n".utf8)
    }

    private mutating func take(_ name: String, _ data: JSON, _ lines: inout [UInt8]) {
        switch name {
        case "message_start":
            id = data["message"]?["id"]?.string ?? ""
            model = data["message"]?["model"]?.string ?? ""
            note(data["message"]?["usage"])
            append(
                delta { writer in
                    writer.field("role", "assistant")
                    writer.field("content", "")
                }, to: &lines)
        case "content_block_start": begin(data, &lines)
        case "content_block_delta": extend(data, &lines)
        case "message_delta":
            note(data["usage"])
            guard let reason = data["delta"]?["stop_reason"]?.string else { return }
            append(delta(finish: CompletionAnswer.finishReason(reason)) { _ in }, to: &lines)
        default: break
        }
    }

    private mutating func note(_ said: JSON?) {
        for name in [
            "input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens",
        ] {
            if let count = said?[name]?.int { usage[name] = count }
        }
        thinking = said?["output_tokens_details"]?["thinking_tokens"]?.int ?? thinking
    }

    private mutating func begin(_ data: JSON, _ lines: inout [UInt8]) {
        guard let index = data["index"]?.int, let block = data["content_block"] else { return }
        switch block["type"]?.string {
        case "text":
            guard let text = block["text"]?.string, !text.isEmpty else { return }
            append(delta { $0.field("content", text) }, to: &lines)
        case "tool_use":
            let place = calls.count
            calls[index] = place
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

    private func extend(_ data: JSON, _ lines: inout [UInt8]) {
        let piece = data["delta"]
        switch piece?["type"]?.string {
        case "text_delta":
            append(delta { $0.field("content", piece?["text"]?.string ?? "") }, to: &lines)
        case "input_json_delta":
            guard let index = data["index"]?.int, let place = calls[index] else { return }
            append(
                call(place) { writer in
                    writer.key("function")
                    writer.object { $0.field("arguments", piece?["partial_json"]?.string ?? "") }
                }, to: &lines)
        default: break
        }
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
        var writer = JSONWriter()
        writer.array { writer in
            writer.object { writer in
                writer.field("index", 0)
                writer.key("delta")
                writer.object(members)
                writer.field("logprobs", nil as String?)
                writer.field("finish_reason", finish)
            }
        }
        return chunk(choices: writer.bytes, usage: nil)
    }

    private func chunk(choices: [UInt8]?, usage: [UInt8]?) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("id", "chatcmpl-" + id)
            writer.field("object", "chat.completion.chunk")
            writer.field("created", created)
            writer.field("model", model)
            writer.field("choices", raw: choices ?? Array("[]".utf8))
            if includesUsage { writer.field("usage", raw: usage ?? Array("null".utf8)) }
        }
        return writer.bytes
    }

    private func append(_ chunk: [UInt8], to lines: inout [UInt8]) {
        lines += "data: ".utf8
        lines += chunk
        lines += "\n\n".utf8
    }
}
