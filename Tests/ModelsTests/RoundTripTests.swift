import Dialects
import JSON
import Jobs
import Testing

@testable import Models

/// Chat completions are spoken in both directions, by callers and to providers: what one says, the other understands.
@Suite struct RoundTripTests {
    @Test(arguments: [
        #""messages":[{"role":"user","content":[{"type":"text","text":"Hi é😀"}]}]"#,
        #""system":[{"type":"text","text":"Be brief."}],"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}]"#,
        #""messages":[{"role":"user","content":[{"type":"text","text":"What?"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBO"}},{"type":"image","source":{"type":"url","url":"https://x/y.png"}},{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBE"},"title":"a.pdf"}]}]"#,
        #""messages":[{"role":"user","content":[{"type":"text","text":"Weather?"}]},{"role":"assistant","content":[{"type":"text","text":"I look."},{"type":"tool_use","id":"t1","name":"w","input":{"city":"Rome","n":1.0}},{"type":"tool_use","id":"t2","name":"w","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"sun"}]},{"type":"tool_result","tool_use_id":"t2"},{"type":"text","text":"And?"}]}],"tools":[{"name":"w","description":"d","input_schema":{"type":"object"},"strict":true}],"tool_choice":{"type":"auto","disable_parallel_tool_use":true}"#,
        #""messages":[{"role":"user","content":[{"type":"text","text":"a"}]}],"temperature":0.30,"top_p":1,"stop_sequences":["END"],"metadata":{"user_id":"u"},"service_tier":"standard_only","tools":[{"name":"w","input_schema":{"type":"object"}}],"tool_choice":{"type":"tool","name":"w"}"#,
        #""messages":[{"role":"user","content":[{"type":"text","text":"a"}]}],"output_config":{"effort":"high","format":{"type":"json_schema","schema":{"type":"object","additionalProperties":false}}}"#,
    ])
    func `a request that goes there and back is the same`(members: String) throws {
        for field in [OpenAIService.LimitField.maxTokens, .maxCompletionTokens] {
            let request = #"{"model":"theirs","max_tokens":50,\#(members)}"#
            let chat = ChatRequest(request: try JSON.parse(request), model: "theirs", limitField: field)
            let back = try CompletionRequest(try JSON.parse(try chat.body(streams: true)))
            #expect(back.streams && back.includesUsage)
            let said = try JSON.parse(back.messages)
            #expect(
                try canonical(said.replacing("stream", with: Array("null".utf8)))
                    == canonical(
                        try JSON.parse(request).replacing("stream", with: Array("null".utf8))))
        }
    }

    private static let message = """
        {"id":"chatcmpl-msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Let me é😀 see."},
        {"type":"tool_use","id":"t1","name":"w","input":{"city":"Paris"}},{"type":"tool_use","id":"t2","name":"v","input":{}}],
        "stop_reason":"tool_use","stop_sequence":null,
        "usage":{"input_tokens":10,"output_tokens":6,"cache_creation_input_tokens":1,"cache_read_input_tokens":4,"output_tokens_details":{"thinking_tokens":2}}}
        """

    @Test func `an answer in chunks, and whole, is understood as the Message that it was`() throws {
        let bytes = Array(Self.message.utf8)
        let created = Timestamp(milliseconds: 0)
        let assumed = ChatAnswer.Assumed(model: "?", requestBytes: 1)
        var chunks = CompletionStream(created: created, includesUsage: true)
        let events = try #require(MessageReplay.events(of: bytes))
        var stream = ChatStream(limit: 1_000_000, assuming: assumed)
        let result = stream.take(chunks.lines(of: events) + chunks.end())
        guard case .answer(let streamed)? = result else {
            Issue.record("the chunks came to \(String(describing: result))")
            return
        }
        let completion = try #require(CompletionAnswer.completion(of: bytes, created: created))
        let whole = try ChatAnswer(whole: try JSON.parse(completion), assuming: assumed).message()
        for answer in [streamed, whole] {
            let message = try JSON.parse(answer.body)
            let sent = try JSON.parse(bytes)
            for key in ["model", "content", "stop_reason"] {
                #expect(message[key].map { Array($0.raw) } != nil)
                #expect(
                    try canonical(Array(message[key]?.raw ?? [])) == canonical(Array(sent[key]?.raw ?? [])))
            }
            #expect(answer.usage == Usage(try #require(sent["usage"])))
        }
    }

    @Test func `a stream that broke off is understood as a failure`() {
        var chunks = CompletionStream(created: Timestamp(milliseconds: 0), includesUsage: false)
        let error = AnswerEvent(
            name: "error",
            data: Array(#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#.utf8))
        var stream = ChatStream(limit: 1000, assuming: ChatAnswer.Assumed(model: "?", requestBytes: 1))
        guard case .refusal(let refusal)? = stream.take(chunks.lines(of: [error]) + chunks.end()) else {
            Issue.record("it was no refusal")
            return
        }
        #expect(refusal.message == "Overloaded")
    }

    private func canonical(_ bytes: [UInt8]) throws -> [UInt8] {
        var output: [UInt8] = []
        try JSON.parse(bytes).appendCanonical(to: &output)
        return output
    }
}
