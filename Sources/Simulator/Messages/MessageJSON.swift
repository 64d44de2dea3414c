import JSON

/// The wire form of an answer.
struct MessageJSON {
    let id: String
    let model: Model
    let answer: Answer
    let usage: Usage
    /// Whether the pieces of a stream say when they were sent.
    var stamps = false

    /// The whole message of a plain call.
    func body() -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            writeHead(&json)
            json.key("content")
            json.array { blocks in for block in answer.blocks { Self.write(block, &blocks) } }
            writeStop(&json)
            json.key("usage")
            json.object { writeUsage(&$0, output: usage.output) }
        }
        return json.bytes
    }

    func writeHead(_ json: inout JSONWriter) {
        json.field("id", id)
        json.field("type", "message")
        json.field("role", "assistant")
        json.field("model", model.id)
    }

    func writeStop(_ json: inout JSONWriter) {
        json.field("stop_reason", answer.stopReason)
        json.field("stop_sequence", answer.stopSequence)
        json.key("stop_details")
        guard answer.isRefusal else { return json.null() }
        json.object { details in
            details.field("type", "refusal")
            details.field("category", "general_harms")
            details.field("explanation", nil as String?)
        }
    }

    func writeUsage(_ json: inout JSONWriter, output: Int) {
        json.field("input_tokens", usage.input)
        json.field("cache_creation_input_tokens", usage.written)
        json.field("cache_read_input_tokens", usage.read)
        json.key("cache_creation")
        json.object { creation in
            creation.field("ephemeral_5m_input_tokens", usage.written5m)
            creation.field("ephemeral_1h_input_tokens", usage.written1h)
        }
        json.field("output_tokens", output)
        json.key("output_tokens_details")
        json.object { $0.field("thinking_tokens", usage.thinking) }
        json.key("server_tool_use")
        if usage.searches == 0 {
            json.null()
        } else {
            json.object { tools in
                tools.field("web_search_requests", usage.searches)
                tools.field("web_fetch_requests", 0)
            }
        }
        json.field("service_tier", usage.isBatch ? "batch" : "standard")
        json.field("inference_geo", usage.isInUS ? "us" : "global")
    }

    static func write(_ block: Answer.Block, _ json: inout JSONWriter) {
        json.object { json in
            switch block {
            case .thinking(let text):
                json.field("type", "thinking")
                json.field("thinking", text)
                json.field("signature", signature)
            case .text(let text):
                json.field("type", "text")
                json.field("text", text)
                json.field("citations", nil as String?)
            case .toolUse(let id, let name, let input):
                json.field("type", "tool_use")
                json.field("id", id)
                json.field("name", name)
                json.field("input", raw: input)
            case .search(let id, let query):
                json.field("type", "server_tool_use")
                json.field("id", id)
                json.field("name", "web_search")
                json.field("input", raw: Self.input(query))
            case .found(let id, let title, let number):
                json.field("type", "web_search_tool_result")
                json.field("tool_use_id", id)
                json.key("content")
                json.array { results in
                    results.object { Self.write(title, number, &$0) }
                }
            case .compaction(let text):
                json.field("type", "compaction")
                json.field("content", text)
                json.field("signature", signature)
            }
        }
    }

    /// What a search asks for.
    static func input(_ query: String) -> [UInt8] {
        var json = JSONWriter()
        json.object { $0.field("query", query) }
        return json.bytes
    }

    private static func write(_ title: String, _ number: Int, _ result: inout JSONWriter) {
        result.field("type", "web_search_result")
        result.field("url", "https://example.com/\(number)")
        result.field("title", title)
        result.field("encrypted_content", signature)
        result.field("page_age", "November 20, 2026")
    }

    /// Nothing checks it here, but a conversation has to hand it back.
    static let signature = "c2ltdWxhdGVkIHRoaW5raW5n"
}
