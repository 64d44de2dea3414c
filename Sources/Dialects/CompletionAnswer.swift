import JSON
package import Jobs

/// A whole Message as a chat completion.
///
/// Texts are joined, calls of tools keep their order, and thinking is left out: the dialect has no place for it.
package enum CompletionAnswer {
    /// Nil for what is no Message.
    package static func completion(of message: [UInt8], created: Timestamp) -> [UInt8]? {
        guard let json = try? JSON.parse(message, maxDepth: JSON.deepest),
            let blocks = json["content"]?.elements
        else { return nil }
        var usage = CompletionUsage()
        usage.note(json["usage"])
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
                    writer.object { write(blocks, refusal: refusal(json), &$0) }
                    writer.field("logprobs", nil as String?)
                    writer.field("finish_reason", finishReason(json["stop_reason"]?.string))
                }
            }
            writer.key("usage")
            usage.write(to: &writer)
        }
        return writer.bytes
    }

    private static func write(_ blocks: [JSON], refusal: String?, _ writer: inout JSONWriter) {
        let text = blocks.compactMap { $0["type"]?.string == "text" ? $0["text"]?.string : nil }.joined()
        let uses = blocks.filter { $0["type"]?.string == "tool_use" }
        writer.field("role", "assistant")
        if text.isEmpty, !uses.isEmpty || refusal != nil {
            writer.field("content", nil as String?)
        } else {
            writer.field("content", text)
        }
        writer.field("refusal", refusal)
        guard !uses.isEmpty else { return }
        writer.key("tool_calls")
        writer.array { writer in
            for use in uses { writer.object { write(use, &$0) } }
        }
    }

    private static func write(_ use: JSON, _ writer: inout JSONWriter) {
        writer.field("id", use["id"]?.string ?? "")
        writer.field("type", "function")
        writer.key("function")
        writer.object { writer in
            writer.field("name", use["name"]?.string ?? "")
            writer.field("arguments", ToolArguments.text(of: use["input"]))
        }
    }

    /// What ended in a way that is not known may not be whole.
    static func finishReason(_ stopReason: String?) -> String {
        switch stopReason {
        case "end_turn", "stop_sequence", nil: "stop"
        case "tool_use": "tool_calls"
        case "refusal": "content_filter"
        default: "length"
        }
    }

    /// Why the model would not answer, in words, if it or `message_delta` says so.
    static func refusal(_ ending: JSON?) -> String? {
        guard ending?["stop_reason"]?.string == "refusal",
            let words = ending?["stop_details"]?["explanation"]?.string, !words.isEmpty
        else { return nil }
        return words
    }
}

/// What was used, as chat completions count it: cached input is a part of the prompt.
struct CompletionUsage {
    private var input = 0
    private var cacheRead = 0
    private var cacheWritten = 0
    private var output = 0
    private var thinking = 0

    /// What `usage` names replaces what was said before, what it leaves out is kept.
    mutating func note(_ usage: JSON?) {
        input = usage?["input_tokens"]?.int ?? input
        cacheRead = usage?["cache_read_input_tokens"]?.int ?? cacheRead
        cacheWritten = usage?["cache_creation_input_tokens"]?.int ?? cacheWritten
        output = usage?["output_tokens"]?.int ?? output
        thinking = usage?["output_tokens_details"]?["thinking_tokens"]?.int ?? thinking
    }

    func write(to writer: inout JSONWriter) {
        let prompt = input + cacheRead + cacheWritten
        writer.object { writer in
            writer.field("prompt_tokens", prompt)
            writer.field("completion_tokens", output)
            writer.field("total_tokens", prompt + output)
            writer.key("prompt_tokens_details")
            writer.object { writer in
                writer.field("cached_tokens", cacheRead)
                writer.field("cache_write_tokens", cacheWritten)
            }
            writer.key("completion_tokens_details")
            writer.object { $0.field("reasoning_tokens", thinking) }
        }
    }
}
