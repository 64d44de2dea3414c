import Dialects
import JSON
import Jobs
import Testing

/// The events of a Message as chunks of a chat completion.
@Suite struct CompletionStreamTests {
    private static let start =
        #"message_start {"message":{"id":"msg_1","model":"m","content":[],"usage":{"input_tokens":10,"cache_read_input_tokens":4,"output_tokens":1}}}"#

    /// What comes of events, each given as its name and its data, and whether `[DONE]` ends it.
    private func chunks(_ events: [String], usage: Bool = false) throws -> (all: [JSON], isDone: Bool) {
        var stream = CompletionStream(created: Timestamp(milliseconds: 5_000), includesUsage: usage)
        var bytes: [UInt8] = []
        // One at a time, as they may come.
        for event in events {
            let parts = event.split(separator: " ", maxSplits: 1)
            bytes += stream.lines(of: [AnswerEvent(name: String(parts[0]), data: Array(parts[1].utf8))])
        }
        bytes += stream.end()
        var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n\n")
        let isDone = lines.last == "data: [DONE]"
        if isDone { lines.removeLast() }
        #expect(lines.allSatisfy { $0.hasPrefix("data: ") && !$0.contains("\n") })
        return (try lines.map { try JSON.parse(String($0.dropFirst(6))) }, isDone)
    }

    /// The deltas, and at the end the reason to stop.
    private func deltas(_ events: [String]) throws -> [String] {
        let (all, isDone) = try chunks(events)
        #expect(isDone)
        return all.map { chunk in
            let choice = chunk["choices"]?[0]
            if let reason = choice?["finish_reason"]?.string { return reason }
            return choice?["delta"].map { String(decoding: $0.raw, as: UTF8.self) } ?? ""
        }
    }

    @Test func `text and calls come as they are made, each call at its place`() throws {
        let said = try deltas([
            Self.start,
            #"content_block_start {"index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
            #"content_block_delta {"index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}"#,
            #"content_block_delta {"index":0,"delta":{"type":"signature_delta","signature":"s"}}"#,
            #"content_block_stop {"index":0}"#,
            #"content_block_start {"index":1,"content_block":{"type":"text","text":""}}"#,
            #"ping {"type":"ping"}"#,
            #"content_block_delta {"index":1,"delta":{"type":"text_delta","text":"Let me é😀"}}"#,
            #"content_block_delta {"index":1,"delta":{"type":"citations_delta","citation":{}}}"#,
            #"content_block_stop {"index":1}"#,
            #"content_block_start {"index":2,"content_block":{"type":"tool_use","id":"t1","name":"w","input":{}}}"#,
            #"content_block_delta {"index":2,"delta":{"type":"input_json_delta","partial_json":""}}"#,
            #"content_block_delta {"index":2,"delta":{"type":"input_json_delta","partial_json":"{\"ci"}}"#,
            #"content_block_delta {"index":2,"delta":{"type":"input_json_delta","partial_json":"ty\":1}"}}"#,
            #"content_block_stop {"index":2}"#,
            #"content_block_start {"index":3,"content_block":{"type":"tool_use","id":"t2","name":"v","input":{}}}"#,
            #"content_block_delta {"index":3,"delta":{"type":"input_json_delta","partial_json":""}}"#,
            #"content_block_stop {"index":3}"#,
            #"something_new nonsense"#,
            #"message_delta {"delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":6}}"#,
            #"message_stop {}"#,
        ])
        #expect(
            said == [
                #"{"role":"assistant","content":""}"#, #"{"content":"Let me é😀"}"#,
                #"{"tool_calls":[{"index":0,"id":"t1","type":"function","function":{"name":"w","arguments":""}}]}"#,
                #"{"tool_calls":[{"index":0,"function":{"arguments":"{\"ci"}}]}"#,
                #"{"tool_calls":[{"index":0,"function":{"arguments":"ty\":1}"}}]}"#,
                #"{"tool_calls":[{"index":1,"id":"t2","type":"function","function":{"name":"v","arguments":""}}]}"#,
                #"{"tool_calls":[{"index":1,"function":{"arguments":"{}"}}]}"#, "tool_calls",
            ])
    }

    @Test func `what stands in a block's start is said too`() throws {
        let said = try deltas([
            Self.start,
            #"content_block_start {"index":0,"content_block":{"type":"text","text":"Hi"}}"#,
            #"content_block_start {"index":1,"content_block":{"type":"tool_use","id":"t","name":"f","input":{"a":1}}}"#,
            #"content_block_stop {"index":1}"#,
        ])
        #expect(said.contains(#"{"content":"Hi"}"#))
        #expect(said.contains(#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":1}"}}]}"#))
    }

    @Test func `the reason to stop is told once, and a refusal's words before it`() throws {
        let said = try deltas([
            Self.start, #"message_delta {"delta":{"stop_reason":null},"usage":{"output_tokens":1}}"#,
            #"message_delta {"delta":{"stop_reason":"refusal","stop_details":{"type":"refusal","explanation":"No."}}}"#,
            #"message_delta {"delta":{"stop_reason":"refusal"},"usage":{"output_tokens":2}}"#,
        ])
        #expect(
            said == [
                #"{"role":"assistant","content":""}"#, #"{"refusal":"No."}"#, "content_filter",
            ])
    }

    @Test func `every chunk says whose it is, and no usage unless asked`() throws {
        let (all, _) = try chunks([
            Self.start, #"message_delta {"delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":6}}"#,
        ])
        #expect(all.count == 2)
        for chunk in all {
            #expect(chunk["id"]?.string == "chatcmpl-msg_1" && chunk["model"]?.string == "m")
            #expect(chunk["object"]?.string == "chat.completion.chunk" && chunk["created"]?.int == 5)
            #expect(chunk["usage"] == nil && chunk["choices"]?.count == 1)
        }
    }

    @Test func `usage comes last, in a chunk without a choice`() throws {
        let (all, _) = try chunks(
            [
                Self.start,
                #"message_delta {"delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}"#,
                #"message_delta {"delta":{},"usage":{"input_tokens":12,"output_tokens":6,"output_tokens_details":{"thinking_tokens":2}}}"#,
            ], usage: true)
        #expect(all.dropLast().allSatisfy { $0["usage"]?.isNull == true })
        let last = try #require(all.last)
        #expect(last["choices"]?.count == 0)
        let expected =
            #"{"prompt_tokens":16,"completion_tokens":6,"total_tokens":22,"prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":0},"completion_tokens_details":{"reasoning_tokens":2}}"#
        #expect(String(decoding: try #require(last["usage"]).raw, as: UTF8.self) == expected)
    }

    @Test(arguments: [true, false])
    func `an error is the last of a stream`(usage: Bool) throws {
        let (all, isDone) = try chunks(
            [
                Self.start,
                #"error {"type":"error","error":{"type":"rate_limit_error","message":"Slow down"}}"#,
            ], usage: usage)
        #expect(!isDone)
        let last = try #require(all.last)
        #expect(
            String(decoding: last.raw, as: UTF8.self)
                == #"{"error":{"message":"Slow down","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}"#
        )
    }

    @Test func `the same Message in chunks says the same`() throws {
        let message = """
            {"id":"msg_1","model":"m","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"Let me see."},
            {"type":"tool_use","id":"t1","name":"w","input":{"city":"Paris"}},{"type":"tool_use","id":"t2","name":"v","input":{}}],
            "stop_reason":"tool_use","usage":{"input_tokens":10,"cache_read_input_tokens":4,"cache_creation_input_tokens":1,"output_tokens":6}}
            """
        let created = Timestamp(milliseconds: 5_000)
        let whole = try JSON.parse(
            try #require(CompletionAnswer.completion(of: Array(message.utf8), created: created)))
        let events = try #require(MessageReplay.events(of: Array(message.utf8))).map {
            "\($0.name) \(String(decoding: $0.data, as: UTF8.self))"
        }
        let (all, isDone) = try chunks(events, usage: true)
        #expect(isDone)
        let deltas = all.compactMap { $0["choices"]?[0]?["delta"] }
        let said = whole["choices"]?[0]?["message"]
        #expect(deltas.compactMap { $0["content"]?.string }.joined() == said?["content"]?.string)
        for (place, call) in (said?["tool_calls"]?.elements ?? []).enumerated() {
            let pieces = deltas.compactMap { $0["tool_calls"]?[0] }.filter { $0["index"]?.int == place }
            #expect(pieces.first?["id"]?.string == call["id"]?.string)
            #expect(
                pieces.compactMap { $0["function"]?["arguments"]?.string }.joined()
                    == call["function"]?["arguments"]?.string)
        }
        #expect(all.last?["usage"].map { Array($0.raw) } == whole["usage"].map { Array($0.raw) })
    }
}
