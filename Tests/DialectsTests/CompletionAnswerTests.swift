import Dialects
import JSON
import Jobs
import Testing

/// A whole Message as a chat completion.
@Suite struct CompletionAnswerTests {
    private func completion(_ message: String) throws -> JSON {
        let bytes = CompletionAnswer.completion(
            of: Array(message.utf8), created: Timestamp(milliseconds: 5_999))
        return try JSON.parse(try #require(bytes))
    }

    private func text(_ json: JSON?) throws -> String {
        try canonical(String(decoding: try #require(json).raw, as: UTF8.self))
    }

    @Test func `arguments that were cut come back as the model wrote them`() throws {
        let message =
            #"{"type":"message","content":[{"type":"tool_use","id":"t","name":"f","input":{"INVALID_JSON":"{\"a\":"}}],"stop_reason":"max_tokens"}"#
        let completion = try #require(
            CompletionAnswer.completion(of: Array(message.utf8), created: Timestamp(milliseconds: 0)))
        let call = try JSON.parse(completion)["choices"]?[0]?["message"]?["tool_calls"]?[0]
        #expect(call?["function"]?["arguments"]?.string == #"{"a":"#)
    }

    @Test func `a Message becomes a completion`() throws {
        let message = """
            {"id":"msg_1","type":"message","model":"m","content":[{"type":"thinking","thinking":"hm","signature":"s"},
            {"type":"text","text":"Let me "},{"type":"text","text":"see."},{"type":"surprise","text":"?"},
            {"type":"tool_use","id":"t1","name":"w","input":{"city":"Paris","n":1.0}},{"type":"tool_use","id":"t2","name":"v","input":{}}],
            "stop_reason":"tool_use","stop_sequence":null,"surprise":1,
            "usage":{"input_tokens":10,"cache_read_input_tokens":4,"cache_creation_input_tokens":1,"output_tokens":6,
            "output_tokens_details":{"thinking_tokens":2}}}
            """
        let expected = #"""
            {"id":"chatcmpl-msg_1","object":"chat.completion","created":5,"model":"m","choices":[{"index":0,
            "message":{"role":"assistant","content":"Let me see.","refusal":null,"tool_calls":[
            {"id":"t1","type":"function","function":{"name":"w","arguments":"{\"city\":\"Paris\",\"n\":1.0}"}},
            {"id":"t2","type":"function","function":{"name":"v","arguments":"{}"}}]},
            "logprobs":null,"finish_reason":"tool_calls"}],
            "usage":{"prompt_tokens":15,"completion_tokens":6,"total_tokens":21,
            "prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":1},"completion_tokens_details":{"reasoning_tokens":2}}}
            """#
        #expect(try text(try completion(message)) == canonical(expected))
    }

    @Test(arguments: [
        Row("[]", #"{"role":"assistant","content":"","refusal":null}"#),
        Row(
            #"[{"type":"tool_use","id":"t","name":"f","input":{}}]"#,
            #"{"role":"assistant","content":null,"refusal":null,"tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":"{}"}}]}"#
        ),
    ])
    func `no text is null beside a call, and empty alone`(_ row: Row) throws {
        let completion = try completion(#"{"id":"i","content":\#(row.asked),"stop_reason":"end_turn"}"#)
        #expect(try text(completion["choices"]?[0]?["message"]) == canonical(row.becomes))
    }

    @Test(arguments: [
        Row("end_turn", "stop"), Row("stop_sequence", "stop"), Row("max_tokens", "length"),
        Row("refusal", "content_filter"), Row("pause_turn", "length"), Row("compaction", "length"),
        Row("model_context_window_exceeded", "length"), Row("tool_use", "tool_calls"),
        Row("something_new", "length"),
    ])
    func `a stop reason becomes a finish reason`(_ row: Row) throws {
        let completion = try completion(#"{"id":"i","content":[],"stop_reason":"\#(row.asked)"}"#)
        #expect(completion["choices"]?[0]?["finish_reason"]?.string == row.becomes)
    }

    @Test(arguments: [
        Row(#"{"type":"refusal","category":"bio","explanation":"Not this."}"#, #""Not this.""#),
        Row(#"{"type":"refusal","category":null,"explanation":null}"#, "null"), Row("null", "null"),
    ])
    func `a refusal gives its reason where it has one`(_ row: Row) throws {
        let completion = try completion(
            #"{"id":"i","content":[],"stop_reason":"refusal","stop_details":\#(row.asked)}"#)
        #expect(try text(completion["choices"]?[0]?["message"]?["refusal"]) == row.becomes)
        #expect(completion["choices"]?[0]?["finish_reason"]?.string == "content_filter")
    }

    @Test func `what was not counted is nothing`() throws {
        let usage = try completion(
            #"{"content":[],"usage":{"input_tokens":3,"output_tokens":1,"cache_read_input_tokens":null,"output_tokens_details":null}}"#
        )["usage"]
        #expect(usage?["prompt_tokens"]?.int == 3 && usage?["total_tokens"]?.int == 4)
        #expect(usage?["prompt_tokens_details"]?["cached_tokens"]?.int == 0)
        #expect(usage?["completion_tokens_details"]?["reasoning_tokens"]?.int == 0)
    }

    @Test(arguments: ["", "[]", "{}", #"{"content":"text"}"#])
    func `what is no Message is no completion`(_ text: String) {
        #expect(
            CompletionAnswer.completion(of: Array(text.utf8), created: Timestamp(milliseconds: 0)) == nil)
    }

    @Test(arguments: [
        Row("authentication_error: wrong key", "invalid_api_key"),
        Row("billing_error: no budget can pay it", "insufficient_quota"),
        Row("rate_limit_error: slow down", "rate_limit_exceeded"),
        Row("not_found_error: model: claude-x", "model_not_found"),
        Row("not_found_error: no such job", "null"),
        Row("invalid_request_error: prompt is too long: 9 tokens > 8 maximum", "context_length_exceeded"),
        Row("invalid_request_error: n has no counterpart", "null"), Row("permission_error: no", "null"),
        Row("request_too_large: it is", "null"), Row("overloaded_error: Overloaded", "null"),
        Row("api_error: broke", "null"), Row("timeout_error: late", "null"),
    ])
    func `an error has the type it had, and a code that clients know`(_ row: Row) throws {
        let (type, message) = try #require(
            row.asked.firstRange(of: ": ").map {
                (String(row.asked[..<$0.lowerBound]), String(row.asked[$0.upperBound...]))
            })
        var writer = JSONWriter()
        writer.object { CompletionError(type: type, message: message, parameter: "p").write(to: &$0) }
        let code = row.becomes == "null" ? "null" : "\"\(row.becomes)\""
        #expect(
            String(decoding: writer.bytes, as: UTF8.self)
                == #"{"error":{"message":"\#(message)","type":"\#(type)","param":"p","code":\#(code)}}"#)
    }
}
