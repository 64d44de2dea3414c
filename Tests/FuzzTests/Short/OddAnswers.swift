import TestSupport

/// Answers as no provider gives them: their grammar is kept, and any value of it may be another.
struct OddAnswers {
    var random: SeededRandom

    private static let numbers = [
        "-1", "0", "1", "12", "1000000000", "1e9", "1e308", "-1e308", "1e-308", "0.5", "9223372036854775807",
        "9223372036854775808", "-9223372036854775808", "99999999999999999999999999",
    ]
    private static let words = [
        "\"\"", "\"text\"", #""\u001b[2J\u009b31m""#, #""\u0000""#, #""‮é\ud83d\ude00""#, "\"1e9\"", "null",
        "true", "[]",
        "{}", "[null]", #"{"a":{"b":[1e9]}}"#,
    ]
    private static let errors = [
        "overloaded_error", "api_error", "rate_limit_error", "invalid_request_error", "billing_error",
        "timeout_error",
    ]

    private mutating func one(in count: Int) -> Bool { Int.random(in: 0..<count, using: &random) == 0 }

    private mutating func pick(_ list: [String]) -> String { list.randomElement(using: &random) ?? "null" }

    /// Any value at all, now and then one that is far too long.
    mutating func value() -> String {
        if one(in: 30) {
            let letters = one(in: 60) ? 20_000 : 700
            return "\"" + String(repeating: pick(["x", "é", "-", " a"]), count: letters) + "\""
        }
        return one(in: 2) ? pick(Self.numbers) : pick(Self.words)
    }

    private mutating func mostly(_ usual: String) -> String { one(in: 12) ? value() : usual }

    private mutating func usage(_ names: [String]) -> String {
        let members = names.map { name in
            "\"\(name)\":\(one(in: 3) ? value() : "\(Int.random(in: 0...99, using: &random))")"
        }
        return "{" + members.joined(separator: ",") + "}"
    }

    private mutating func messageUsage() -> String {
        let parts = usage([
            "input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens",
            "service_tier",
        ]).dropLast()
        let written = usage(["ephemeral_1h_input_tokens", "ephemeral_5m_input_tokens"])
        let searches = usage(["web_search_requests"])
        return mostly(
            "\(parts),\"cache_creation\":\(mostly(written)),\"server_tool_use\":\(mostly(searches))}")
    }

    mutating func message() -> String {
        let content = mostly(#"[{"type":"text","text":"a"}]"#)
        return
            #"{"id":\#(mostly("\"msg_1\"")),"type":\#(mostly("\"message\"")),"model":\#(mostly("\"m\"")),"content":\#(content),"stop_reason":\#(mostly("\"end_turn\"")),"usage":\#(messageUsage())}"#
    }

    mutating func error() -> String {
        let type = "\"\(pick(Self.errors))\""
        let details = #"{"error_code":\#(mostly("\"c\""))}"#
        return
            #"{"type":"error","error":\#(mostly(#"{"type":\#(mostly(type)),"message":\#(mostly("\"m\"")),"code":\#(value()),"details":\#(mostly(details))}"#)),"request_id":\#(mostly("\"req\""))}"#
    }

    /// The events of a Message in their order, but for some that are missing, come twice or are errors.
    mutating func messageStream() -> String {
        let start =
            #"{"type":"message_start","message":{"type":"message","model":\#(mostly("\"m\"")),"content":[],"usage":\#(messageUsage())}}"#
        var events = [
            ("message_start", start), ("ping", "{}"),
            (
                "content_block_start",
                #"{"index":\#(mostly("0")),"content_block":\#(mostly(#"{"type":"text","text":""}"#))}"#
            ),
        ]
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            let delta = pick([
                #"{"type":"text_delta","text":"ab"}"#, #"{"type":"input_json_delta","partial_json":"{\"a"}"#,
                #"{"type":"signature_delta","signature":"s"}"#, #"{"type":"citations_delta","citation":{}}"#,
            ])
            events.append(("content_block_delta", #"{"index":\#(mostly("0")),"delta":\#(mostly(delta))}"#))
        }
        events.append(("content_block_stop", #"{"index":0}"#))
        events.append(
            (
                "message_delta",
                #"{"delta":{"stop_reason":\#(mostly("\"end_turn\""))},"usage":\#(messageUsage())}"#
            ))
        events.append(("message_stop", mostly("{}")))
        if one(in: 4) {
            events.insert(("error", error()), at: Int.random(in: 0...events.count, using: &random))
        }
        if one(in: 6) { events.remove(at: Int.random(in: 0..<events.count, using: &random)) }
        return events.map { "event: \($0.0)\ndata: \($0.1)\n\n" }.joined()
    }

    mutating func chat() -> String {
        let call =
            #"[{"id":\#(mostly("\"c\"")),"index":\#(value()),"function":{"name":"f","arguments":\#(mostly("\"{}\""))}}]"#
        let message =
            #"{"role":"assistant","content":\#(mostly("\"a\"")),"refusal":\#(mostly("null")),"tool_calls":\#(mostly(call))}"#
        return
            #"{"id":\#(mostly("\"i\"")),"model":\#(mostly("\"m\"")),"choices":\#(mostly(#"[{"index":0,"message":\#(message),"delta":\#(message),"finish_reason":\#(mostly("\"stop\""))}]"#)),"usage":\#(chatUsage())}"#
    }

    private mutating func chatUsage() -> String {
        mostly(
            usage(["prompt_tokens", "completion_tokens"]).dropLast()
                + #","prompt_tokens_details":\#(mostly(usage(["cached_tokens", "cache_write_tokens"])))}"#)
    }

    mutating func chatStream() -> String {
        var chunks = (0..<Int.random(in: 1...3, using: &random)).map { _ in one(in: 6) ? error() : chat() }
        if !one(in: 4) { chunks.append("[DONE]") }
        return chunks.map { "data: \($0)\n\n" }.joined()
    }
}
