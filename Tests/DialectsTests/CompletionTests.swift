import Dialects
import JSON
import Jobs
import Testing

/// Chat completions in, Messages out, and back.
@Suite struct CompletionTests {
    /// One row of the mapping: members of a chat completion, and those of the Messages request.
    struct Row: Sendable, CustomTestStringConvertible {
        var asked: String
        var becomes: String
        var testDescription: String { asked }

        init(_ asked: String, _ becomes: String) {
            self.asked = asked
            self.becomes = becomes
        }
    }

    private static let user = #""messages":[{"role":"user","content":"hi"}]"#
    private static let said = #""messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]"#

    private func canonical(_ text: String) throws -> String {
        var bytes: [UInt8] = []
        try JSON.parse(Array(text.utf8)).appendCanonical(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func messages(_ text: String) throws -> String {
        let request = try CompletionRequest(try JSON.parse(Array(text.utf8)))
        return try canonical(String(decoding: request.messages, as: UTF8.self))
    }

    @Test(arguments: [
        Row(#""model":"m""#, #""model":"m""#),
        Row(#""max_tokens":5"#, #""max_tokens":5"#),
        Row(#""max_completion_tokens":7,"max_tokens":5"#, #""max_tokens":7"#),
        Row(#""temperature":1.5,"top_p":0.5"#, #""temperature":1,"top_p":0.5"#),
        Row(#""stop":"END""#, #""stop_sequences":["END"]"#),
        Row(#""stop":["a"," "]"#, #""stop_sequences":["a"]"#),
        Row(#""stream":true"#, #""stream":true"#),
        Row(
            #""user":"u1","service_tier":"default""#,
            #""metadata":{"user_id":"u1"},"service_tier":"standard_only""#),
        Row(
            #""tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"},"strict":true}}]"#,
            #""tools":[{"name":"f","description":"d","input_schema":{"type":"object"},"strict":true}]"#),
        Row(
            #""tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"required","parallel_tool_calls":false"#,
            #""tools":[{"name":"f","input_schema":{"type":"object","properties":{}}}],"tool_choice":{"type":"any","disable_parallel_tool_use":true}"#
        ),
        Row(
            #""tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":{"type":"function","function":{"name":"f"}}"#,
            #""tools":[{"name":"f","input_schema":{"type":"object","properties":{}}}],"tool_choice":{"type":"tool","name":"f"}"#
        ),
        Row(
            #""response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}}"#,
            #""output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}}"#),
        Row(#""reasoning_effort":"minimal""#, #""output_config":{"effort":"low"}"#),
        Row(#""reasoning_effort":"none""#, #""thinking":{"type":"disabled"}"#),
        Row(#""n":1,"seed":3,"logit_bias":{},"presence_penalty":0,"store":false"#, ""),
    ])
    func `a parameter becomes its counterpart`(_ row: Row) throws {
        let becomes = row.becomes.isEmpty ? "" : "," + row.becomes
        #expect(try messages("{\(Self.user),\(row.asked)}") == canonical("{\(Self.said)\(becomes)}"))
    }

    @Test func `turns are merged, instructions hoisted, answers of tools are the user's`() throws {
        let chat = """
            {"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"weather?"},
            {"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"w","arguments":"{\\"city\\":\\"Paris\\"}"}},
            {"id":"c2","type":"function","function":{"name":"w","arguments":""}}]},
            {"role":"tool","tool_call_id":"c1","content":"sun"},{"role":"tool","tool_call_id":"c2","content":"rain"},
            {"role":"user","content":[{"type":"text","text":"so?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,QUJD"}},
            {"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]},{"role":"developer","content":"Now."}]}
            """
        let expected = """
            {"system":[{"type":"text","text":"Be brief."},{"type":"text","text":"Now."}],"messages":[
            {"role":"user","content":[{"type":"text","text":"weather?"}]},
            {"role":"assistant","content":[{"type":"tool_use","id":"c1","name":"w","input":{"city":"Paris"}},
            {"type":"tool_use","id":"c2","name":"w","input":{}}]},
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":[{"type":"text","text":"sun"}]},
            {"type":"tool_result","tool_use_id":"c2","content":[{"type":"text","text":"rain"}]},
            {"type":"text","text":"so?"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"QUJD"}},
            {"type":"image","source":{"type":"url","url":"https://example.com/a.png"}}]}]}
            """
        #expect(try messages(chat) == canonical(expected))
    }

    @Test(arguments: [
        Row(#""n":2"#, "n"), Row(#""logprobs":true"#, "logprobs"),
        Row(#""frequency_penalty":0.5"#, "frequency_penalty"),
        Row(#""response_format":{"type":"json_object"}"#, "response_format"), Row(#""audio":{}"#, "audio"),
        Row(#""functions":[]"#, "functions"), Row(#""tool_choice":"required""#, "tool_choice"),
        Row(#""tools":[{"type":"custom"}]"#, "tools[0]"), Row(#""max_tokens":0"#, "max_tokens"),
        Row(#""temperature":3"#, "temperature"), Row(#""surprise":1"#, "surprise"),
        Row(#""reasoning_effort":"extreme""#, "reasoning_effort"), Row(#""stop":5"#, "stop"),
    ])
    func `what has no counterpart is refused by its name`(_ row: Row) throws {
        let body = try JSON.parse(Array("{\(Self.user),\(row.asked)}".utf8))
        #expect { try CompletionRequest(body) } throws: { error in
            (error as? CompletionRequest.Refused)?.parameter == row.becomes
        }
    }

    @Test(arguments: [
        Row("[]", "messages"), Row(#"[{"role":"system","content":"x"}]"#, "messages"),
        Row(#"[{"role":"alien","content":"x"}]"#, "messages[0].role"),
        Row(#"[{"role":"user","content":[{"type":"input_audio"}]}]"#, "messages[0].content[0]"),
        Row(#"[{"role":"user","content":"x"},{"role":"assistant"}]"#, "messages[1]"),
        Row(#"[{"role":"user","content":"x"},{"role":"tool","content":"x"}]"#, "messages[1]"),
    ])
    func `a message that cannot be said is refused by its place`(_ row: Row) throws {
        let body = try JSON.parse(Array(#"{"messages":\#(row.asked)}"#.utf8))
        #expect { try CompletionRequest(body) } throws: { error in
            (error as? CompletionRequest.Refused)?.parameter == row.becomes
        }
    }

    private static let message = """
        {"id":"msg_1","model":"m","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"Let me see."},
        {"type":"tool_use","id":"t1","name":"w","input":{"city":"Paris"}}],"stop_reason":"tool_use",
        "usage":{"input_tokens":10,"cache_read_input_tokens":4,"cache_creation_input_tokens":1,"output_tokens":6}}
        """

    @Test func `a Message becomes a completion`() throws {
        let bytes = try #require(
            CompletionAnswer.completion(of: Array(Self.message.utf8), created: Timestamp(milliseconds: 5_000))
        )
        let json = try JSON.parse(bytes)
        let choice = try #require(json["choices"]?.elements?.first)
        #expect(json["created"]?.int == 5)
        #expect(choice["message"]?["content"]?.string == "Let me see.")
        #expect(
            choice["message"]?["tool_calls"]?.elements?.first?["function"]?["arguments"]?.string
                == #"{"city":"Paris"}"#)
        #expect(choice["finish_reason"]?.string == "tool_calls")
        #expect(json["usage"]?["prompt_tokens"]?.int == 15)
        #expect(json["usage"]?["prompt_tokens_details"]?["cached_tokens"]?.int == 4)
        #expect(json["usage"]?["total_tokens"]?.int == 21)
    }

    @Test(arguments: [
        Row("end_turn", "stop"), Row("stop_sequence", "stop"), Row("max_tokens", "length"),
        Row("refusal", "content_filter"),
        Row("pause_turn", "length"), Row("model_context_window_exceeded", "length"),
        Row("tool_use", "tool_calls"),
    ])
    func `a stop reason becomes a finish reason`(_ row: Row) throws {
        let message = #"{"id":"i","content":[],"stop_reason":"\#(row.asked)"}"#
        let bytes = try #require(
            CompletionAnswer.completion(of: Array(message.utf8), created: Timestamp(milliseconds: 0)))
        #expect(try JSON.parse(bytes)["choices"]?.elements?.first?["finish_reason"]?.string == row.becomes)
    }

    @Test func `the same Message in chunks says the same`() throws {
        let events = try #require(MessageReplay.events(of: Array(Self.message.utf8)))
        var stream = CompletionStream(created: Timestamp(milliseconds: 5_000), includesUsage: true)
        let text = String(decoding: stream.lines(of: events) + stream.end(), as: UTF8.self)
        let lines = text.split(separator: "\n").map { $0.dropFirst("data: ".count) }
        #expect(lines.last == "[DONE]")
        let chunks = try lines.dropLast().map { try JSON.parse(Array($0.utf8)) }
        let deltas = chunks.compactMap { $0["choices"]?.elements?.first?["delta"] }
        #expect(deltas.first?["role"]?.string == "assistant")
        #expect(deltas.compactMap { $0["content"]?.string }.joined() == "Let me see.")
        let arguments = deltas.compactMap {
            $0["tool_calls"]?.elements?.first?["function"]?["arguments"]?.string
        }
        #expect(arguments.joined() == #"{"city":"Paris"}"#)
        #expect(
            chunks.compactMap { $0["choices"]?.elements?.first?["finish_reason"]?.string } == ["tool_calls"])
        #expect(chunks.last?["choices"]?.count == 0)
        #expect(chunks.last?["usage"]?["total_tokens"]?.int == 21)
        #expect(chunks.dropLast().allSatisfy { $0["usage"]?.isNull == true })
        #expect(Set(chunks.map { $0["id"]?.string }) == ["chatcmpl-msg_1"])
    }
}
