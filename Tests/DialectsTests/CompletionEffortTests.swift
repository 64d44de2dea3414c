import Dialects
import JSON
import Testing

/// `reasoning_effort`, which each generation of models takes in another way.
@Suite struct CompletionEffortTests {
    private static let tool = #""tools":[{"type":"function","function":{"name":"f"}}]"#
    private static let user = #"{"role":"user","content":"hi"}"#

    private func asked(_ parameters: String, messages: String = user) throws -> JSON {
        let body = try JSON.parse("{\"messages\":[\(messages)],\(parameters)}")
        return try JSON.parse(try CompletionRequest(body).messages)
    }

    private func text(_ json: JSON?) -> String? { json.map { String(decoding: $0.raw, as: UTF8.self) } }

    @Test(arguments: [
        ("minimal", "low"), ("low", "low"), ("medium", "medium"), ("high", "high"), ("xhigh", "xhigh"),
        ("max", "max"),
    ])
    func `later models take it and think as they see fit`(effort: String, becomes: String) throws {
        let request = try asked(#""model":"claude-opus-4-7","reasoning_effort":"\#(effort)""#)
        #expect(request["output_config"]?["effort"]?.string == becomes)
        #expect(text(request["thinking"]) == #"{"type":"adaptive"}"#)
    }

    @Test(arguments: [
        ("minimal", 9000, 1024), ("low", 9000, 1024), ("medium", 9000, 2048), ("high", 9000, 4096),
        ("max", 9000, 4096), ("high", 5000, 2500), ("medium", 2048, 1024), ("high", 1025, 1024),
    ])
    func `earlier ones think within a budget that leaves room for the answer`(
        effort: String, limit: Int, budget: Int
    ) throws {
        for model in ["claude-haiku-4-5-20251001", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"] {
            let request = try asked(
                #""model":"\#(model)","max_tokens":\#(limit),"reasoning_effort":"\#(effort)""#)
            #expect(text(request["thinking"]) == #"{"type":"enabled","budget_tokens":\#(budget)}"#)
            #expect(request["output_config"] == nil)
        }
    }

    @Test(arguments: [#""max_tokens":1024,"#, ""])
    func `a budget needs room, and says so`(limit: String) throws {
        let parameters = #"\#(limit)"model":"claude-haiku-4-5-20251001","reasoning_effort":"low""#
        let error = #expect(throws: CompletionRequest.Refused.self) { _ = try asked(parameters) }
        #expect(error?.parameter == "reasoning_effort")
        #expect(error?.message.contains("above 1024") == true)
    }

    @Test(arguments: ["claude-haiku-4-5-20251001", "claude-sonnet-5", "gpt-6-astra"])
    func `none is no thinking`(model: String) throws {
        let request = try asked(#""model":"\#(model)","reasoning_effort":"none""#)
        #expect(text(request["thinking"]) == #"{"type":"disabled"}"#)
        #expect(request["output_config"] == nil)
    }

    @Test func `other providers' models get the effort alone`() throws {
        let request = try asked(#""model":"gpt-6-astra","reasoning_effort":"high""#)
        #expect(request["output_config"]?["effort"]?.string == "high" && request["thinking"] == nil)
    }

    @Test(arguments: ["claude-opus-4-7", "claude-haiku-4-5-20251001"])
    func `no thinking is asked for where a call is forced`(model: String) throws {
        let request = try asked(
            #""model":"\#(model)","max_tokens":9000,"reasoning_effort":"high","tool_choice":"required",\#(Self.tool)"#
        )
        #expect(request["thinking"] == nil && request["tool_choice"]?["type"]?.string == "any")
    }

    @Test(arguments: ["claude-opus-4-7", "claude-haiku-4-5-20251001"])
    func `nor begun between a call and what answers it`(model: String) throws {
        let call =
            #"{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"x"}"#
        let parameters = #""model":"\#(model)","max_tokens":9000,"reasoning_effort":"high",\#(Self.tool)"#
        for messages in ["\(Self.user),\(call)", "\(Self.user),\(call),\(Self.user)"] {
            #expect(try asked(parameters, messages: messages)["thinking"] == nil)
        }
        let after = #"\#(Self.user),\#(call),{"role":"assistant","content":"y"},\#(Self.user)"#
        #expect(try asked(parameters, messages: after)["thinking"] != nil)
    }

    @Test func `an effort and a schema go together`() throws {
        let request = try asked(
            #""model":"claude-opus-4-7","reasoning_effort":"low","response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{}}}"#
        )
        #expect(
            text(request["output_config"]) == #"{"effort":"low","format":{"type":"json_schema","schema":{}}}"#
        )
    }
}
