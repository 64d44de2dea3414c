import JSON
import Testing

@testable import Simulator

/// What the beta API takes, and what the provider does by itself.
@Suite struct BetaTests {
    private let simulator: Simulator

    init() throws { simulator = try makeSimulator() }

    @Test func `a compaction is the summary alone, whole and streamed`() async throws {
        let extra = #","compaction":{"type":"summarize"}"#
        let answer = await simulator.ask("Tell me of rivers.", extra: extra)
        #expect(answer.json?["stop_reason"]?.string == "compaction")
        #expect(answer.json?["content"]?.count == 1)
        #expect(answer.json?["content"]?[0]?["type"]?.string == "compaction")
        #expect(answer.json?["content"]?[0]?["content"]?.string?.isEmpty == false)
        let stream = await simulator.ask("Tell me of rivers.", extra: extra + #","stream":true"#)
        #expect(stream.text.contains("compaction_delta") && stream.text.contains("message_stop"))
        let both = await simulator.ask("x", extra: extra + #","context_management":{"edits":[]}"#)
        #expect(both.status == 400 && both.errorMessage.contains("context_management"))
    }

    @Test func `a thread is kept under its answer's id, and its length counts`() async throws {
        let long = String(repeating: "many words ", count: 400)
        let first = await simulator.ask(long, extra: #","thread":{"type":"create"}"#)
        let id = try #require(first.json?["id"]?.string)
        let more = await simulator.ask(
            "And?", extra: #","thread":{"type":"continue","previous_message_id":"\#(id)"}"#)
        #expect(more.status == 200)
        #expect(try #require(more.tokens("input_tokens")) > (try #require(first.tokens("input_tokens"))))
        let lost = await simulator.ask(
            "And?", extra: #","thread":{"type":"continue","previous_message_id":"msg_none"}"#)
        #expect(lost.status == 400 && lost.errorMessage.contains("msg_none"))
        await simulator.reset()
        let gone = await simulator.ask(
            "And?", extra: #","thread":{"type":"continue","previous_message_id":"\#(id)"}"#)
        #expect(gone.status == 400)
    }

    @Test(arguments: [
        (#""billing_policy":{"type":"billing_policy"}"#, 200), (#""billing_policy":null"#, 200),
        (#""billing_policy":{"type":"billing_policy","bill_to":"user_profile"}"#, 400),
        (#""billing_policy":{"bill_to":"self"}"#, 400), (#""fallback_credit_token":"t""#, 200),
        (#""fallback_credit_token":5"#, 400), (#""thread":{"type":"other"}"#, 400),
        (#""compaction":{"type":"other"}"#, 400), (#""surprise":1"#, 400),
    ])
    func `members of the beta API are checked`(members: String, status: Int) async {
        #expect(await simulator.ask("Hi", extra: "," + members).status == status)
    }

    @Test func `searches on the web are shown with what they found`() async throws {
        let tools = #","tools":[{"type":"web_search_20260318","name":"web_search","max_uses":2}]"#
        let answer = await simulator.ask("[[sim:searches=5]] Find rivers in Europe.", extra: tools)
        let blocks = try #require(answer.json?["content"]?.elements)
        #expect(
            blocks.compactMap { $0["type"]?.string }
                == [
                    "server_tool_use", "web_search_tool_result", "server_tool_use", "web_search_tool_result",
                    "text",
                ])
        #expect(blocks[0]["input"]?["query"]?.string?.isEmpty == false)
        #expect(blocks[1]["tool_use_id"]?.string == blocks[0]["id"]?.string)
        #expect(blocks[1]["content"]?[0]?["type"]?.string == "web_search_result")
        #expect(answer.json?["usage"]?["server_tool_use"]?["web_search_requests"]?.int == 2)
        let stream = await simulator.ask(
            "[[sim:searches=5]] Find rivers in Europe.", extra: tools + #","stream":true"#)
        #expect(stream.text.contains(#""type":"web_search_tool_result""#))
    }

    @Test(arguments: [
        #"{"type":"integer","minimum":1}"#, #"{"type":"string","maxLength":5}"#,
        #"{"type":"array","items":{"type":"string"},"minItems":2}"#,
        #"{"type":"object","additionalProperties":false,"properties":{"a":{"type":"number","multipleOf":2}}}"#,
        ##"{"$ref":"#/$defs/a","$defs":{"a":{"type":"object"}}}"##,
    ])
    func `a schema with limits is refused, as structured outputs cannot keep them`(schema: String) async {
        let answer = await simulator.ask(
            "Hi", extra: #","output_config":{"format":{"type":"json_schema","schema":\#(schema)}}"#)
        #expect(answer.status == 400)
    }
}
