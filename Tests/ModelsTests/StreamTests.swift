import HTTPClient
import JSON
import Jobs
import Testing

@testable import Models

@Suite struct StreamTests {
    @Test func `A stream becomes the Message that a plain call would have given, however it is cut`() throws {
        for size in [1, 3, 7, 64, 100_000] {
            let answer = try #require(read(Sample.stream, pieces: size).answer)
            #expect(
                String(decoding: answer.body, as: UTF8.self)
                    == #"{"id":"msg_1","type":"message","role":"assistant","model":"claude-haiku-4-5","#
                    + #""content":[{"type":"text","text":"Sixty-four é😀"}],"stop_reason":"end_turn","#
                    + #""stop_sequence":null,"future":{"x":1},"#
                    + #""usage":{"input_tokens":31,"cache_read_input_tokens":9,"output_tokens":12}}"#)
            #expect(answer.usage == Usage(inputTokens: 31, outputTokens: 12, cacheReadTokens: 9))
            #expect(answer.model == "claude-haiku-4-5" && answer.stopReason == "end_turn")
        }
    }

    @Test(arguments: [
        (
            #"{"type":"tool_use","id":"t","name":"n","input":{}}"#,
            [
                #"{"type":"input_json_delta","partial_json":""}"#,
                #"{"type":"input_json_delta","partial_json":"{\"a\":"}"#,
                #"{"type":"input_json_delta","partial_json":" [1,2]}"}"#,
            ],
            #"{"type":"tool_use","id":"t","name":"n","input":{"a": [1,2]}}"#
        ),
        (
            #"{"type":"tool_use","id":"t","name":"n","input":{}}"#, [],
            #"{"type":"tool_use","id":"t","name":"n","input":{}}"#
        ),
        (
            #"{"type":"tool_use","id":"t","name":"n","input":{}}"#,
            [#"{"type":"input_json_delta","partial_json":"{\"a\":\"cut"}"#],
            #"{"type":"tool_use","id":"t","name":"n","input":{"INVALID_JSON":"{\"a\":\"cut"}}"#
        ),
        (
            #"{"type":"thinking","thinking":"","signature":""}"#,
            [
                #"{"type":"thinking_delta","thinking":"hm"}"#, #"{"type":"thinking_delta","thinking":"m"}"#,
                #"{"type":"signature_delta","signature":"s1"}"#,
                #"{"type":"signature_delta","signature":"s2"}"#,
            ],
            #"{"type":"thinking","thinking":"hmm","signature":"s2"}"#
        ),
        (
            #"{"type":"text","text":"A","citations":[]}"#,
            [
                #"{"type":"citations_delta","citation":{"n":1}}"#, #"{"type":"text_delta","text":"B"}"#,
                #"{"type":"citations_delta","citation":{"n":2}}"#,
            ],
            #"{"type":"text","text":"AB","citations":[{"n":1},{"n":2}]}"#
        ),
        (
            #"{"type":"redacted_thinking","data":"xyz"}"#, [#"{"type":"delta_of_the_future","data":"?"}"#],
            #"{"type":"redacted_thinking","data":"xyz"}"#
        ),
    ])
    func `Blocks grow by their deltas`(start: String, deltas: [String], block: String) throws {
        let stream =
            Sample.start + Sample.block(0, start) + deltas.map { Sample.delta(0, $0) }.joined() + Sample.end()
        let message = try #require(read(stream + Sample.stop).message)
        #expect(message["content"].map { String(decoding: $0.raw, as: UTF8.self) } == "[\(block)]")
    }

    @Test func `Blocks stand in the order of their index`() throws {
        let stream =
            Sample.start + Sample.block(1, Sample.textBlock) + Sample.block(0, Sample.textBlock)
            + Sample.text(1, "b")
            + Sample.text(0, "a") + Sample.end() + Sample.stop
        let content = try #require(read(stream).message?["content"]?.elements)
        #expect(content.map { $0["text"]?.string } == ["a", "b"])
    }

    @Test func `The last usage counts, and what it leaves out stands from the start`() throws {
        let usage =
            #"{"output_tokens":50,"input_tokens":400,"cache_creation_input_tokens":null,"server_tool_use":{"n":1}}"#
        let answer = try #require(read(Sample.start + Sample.end(usage: usage) + Sample.stop).answer)
        #expect(answer.usage == Usage(inputTokens: 400, outputTokens: 50, cacheReadTokens: 9))
    }

    @Test func `What is not known is tolerated and kept where it belongs to the Message`() throws {
        let odd =
            Sample.event("weather", #"{"type":"weather"}"#) + Sample.event("noise", "not json")
            + ": keepalive\n\n"
            + "data: [DONE]\n\n" + Sample.event("", #"{"type":"ping"}"#)
        let delta = Sample.event(
            "message_delta",
            #"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_details":{"a":1}},"context_management":{}}"#
        )
        let message = try #require(read(odd + Sample.start + odd + delta + odd + Sample.stop).message)
        #expect(message["stop_details"]?["a"]?.int == 1)
        #expect(message["context_management"] != nil && message["future"]?["x"]?.int == 1)
    }

    @Test func `Events that name themselves only in their data are read too`() {
        let stream = Sample.stream.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.hasPrefix("event:") }.joined(separator: "\n")
        #expect(read(stream).answer?.stopReason == "end_turn")
    }

    @Test func `A clean end before message_stop is a failure that says what was used`() throws {
        let whole = try #require(read(Sample.start + Sample.end()).breakage)
        #expect(whole.kind == .truncated && whole.maySent)
        #expect(whole.usage == Usage(inputTokens: 31, outputTokens: 12, cacheReadTokens: 9))

        let cut =
            Sample.start + Sample.block(0, Sample.textBlock) + Sample.text(0, "twenty-four characters..")
        #expect(read(cut).breakage?.usage?.outputTokens == 8)

        let nothing = try #require(read(": hello\n\n").breakage)
        #expect(nothing.kind == .truncated && nothing.usage == nil)
        #expect(read("").breakage?.kind == .truncated)
    }

    @Test func `A last event without its empty line still counts`() {
        #expect(read(Sample.stream.dropLast(2) + "").answer != nil)
        #expect(read(Sample.stream.dropLast(5) + "").breakage?.kind == .truncated)
    }

    @Test func `An error event refuses in the provider's words, with what was used so far`() throws {
        let event = Sample.event(
            "error",
            #"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded","details":{"error_code":"c"}}}"#
        )
        let first = try #require(read(event).refusal)
        #expect(first == Refusal(status: 200, type: "overloaded_error", code: "c", message: "Overloaded"))
        let later = try #require(
            read(Sample.start + Sample.block(0, Sample.textBlock) + event + Sample.stop).refusal)
        #expect(later.usage == Usage(inputTokens: 31, outputTokens: 1, cacheReadTokens: 9, isComplete: false))
        #expect(later.answerBegan)
    }

    /// Which errors say that the model did no work: all before the start; after it those of capacity and of the request.
    @Test(arguments: [
        ("overloaded_error", false), ("rate_limit_error", false), ("invalid_request_error", false),
        ("authentication_error", false), ("api_error", true), ("timeout_error", true),
        ("error_of_the_future", true),
    ])
    func `An error before any content is no answer that may be paid, unless the model may have been at work`(
        type: String, isPaid: Bool
    ) throws {
        let event = Sample.event("error", #"{"type":"error","error":{"type":"\#(type)","message":"m"}}"#)
        let first = try #require(read(event).refusal)
        #expect(!first.answerBegan && first.usage == nil)
        let second = try #require(read(Sample.start + event).refusal)
        #expect(second.answerBegan == isPaid && (second.usage != nil) == isPaid)
    }

    @Test(arguments: [
        Sample.event("message_start", "{"), Sample.event("message_start", #"{"message":7}"#),
        Sample.start + Sample.start,
        Sample.start + Sample.block(0, Sample.textBlock) + Sample.block(0, Sample.textBlock),
        Sample.text(0, "before the start"), Sample.start + Sample.text(3, "no such block"), Sample.end(),
        Sample.stop,
        Sample.start + Sample.stop, "data: oops\n\n", Sample.start + "event: message_delta\ndata: {\n\n",
    ])
    func `A stream that breaks the grammar is malformed`(stream: String) {
        #expect(read(stream).breakage?.kind == .malformed)
    }

    @Test func `A cut inside a character does not spoil the answer, and nothing after message_stop matters`()
    {
        #expect(read(Sample.stream + Sample.stop + "garbage", pieces: 1).answer != nil)
    }

    @Test func `An answer larger than the limit is given up`() {
        let chunk = Sample.text(0, String(repeating: "x", count: 300))
        let stream = Sample.start + Sample.block(0, Sample.textBlock) + chunk + chunk + chunk + chunk
        let breakage = read(stream, pieces: 100, limit: 1000).breakage
        #expect(breakage?.kind == .tooLarge && breakage?.usage?.inputTokens == 31)
        #expect(
            read("event: x\ndata: " + String(repeating: "y", count: 2000), limit: 1000).breakage?.kind
                == .tooLarge)
        #expect(read("{" + String(repeating: " ", count: 2000), limit: 1000).breakage?.kind == .tooLarge)
    }

    @Test func `Plain JSON in place of a stream is understood`() {
        #expect(read("\n " + Sample.message, pieces: 1).answer?.usage.inputTokens == 21)
        #expect(
            read(#"{"type":"error","error":{"type":"api_error","message":"m"}}"#).refusal?.type == "api_error"
        )
        #expect(read("{\"type\":").breakage?.kind == .malformed)
    }

    @Test func `A connection that breaks amid the stream keeps what is known of its usage`() throws {
        var answer = StreamedAnswer(limit: 1000)
        #expect(answer.take(Array(Sample.start.utf8)) == nil)
        let error = HTTPClientError(code: .reset, message: "reset by peer", maySent: true)
        let breakage = try #require(answer.end(error).breakage)
        #expect(breakage.kind == .reset && breakage.usage?.inputTokens == 31)
    }
}
