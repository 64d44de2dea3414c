import JSON
import Jobs
import Synchronization
import Testing

@testable import Models

/// A stream of chat completions, heard as the Messages API's events.
@Suite struct ChatEventsTests {
    private final class Listener: AnswerListener {
        let events = Mutex<[AnswerEvent]>([])

        func began(_ head: AnswerHead) {}
        func heard(_ event: AnswerEvent) { events.withLock { $0.append(event) } }
    }

    private func hear(_ chunks: [String]) throws -> (events: [(name: String, data: JSON)], answer: Answer) {
        let listener = Listener()
        var stream = ChatStream(
            limit: 10_000, assuming: .init(model: "m", requestBytes: 100), listener: listener)
        var result: Outcome.Result?
        for chunk in chunks + ["[DONE]"] { result = stream.take(Array("data: \(chunk)\n\n".utf8)) ?? result }
        guard case .answer(let answer)? = result else { throw NotAMessage(reason: "\(result as Any)") }
        return (try listener.events.withLock { $0 }.map { ($0.name, try JSON.parse($0.data)) }, answer)
    }

    private func chunk(_ delta: String, finish: String? = nil) -> String {
        let end = finish.map { "\"\($0)\"" } ?? "null"
        return #"{"id":"c1","model":"gpt","choices":[{"index":0,"delta":\#(delta),"finish_reason":\#(end)}]}"#
    }

    @Test func `text comes piece by piece, and the usage at the end`() throws {
        let (events, answer) = try hear([
            chunk(#"{"role":"assistant","content":""}"#), chunk(#"{"content":"Hel"}"#),
            chunk(#"{"content":"lo"}"#),
            chunk("{}", finish: "stop"),
            #"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}"#,
        ])
        #expect(
            events.map(\.name) == [
                "message_start", "content_block_start", "content_block_delta", "content_block_delta",
                "content_block_stop", "message_delta",
            ])
        #expect(events.compactMap { $0.data["delta"]?["text"]?.string } == ["Hel", "lo"])
        #expect(events.last?.data["usage"]?["output_tokens"]?.int == 2)
        #expect(events.last?.data["delta"]?["stop_reason"]?.string == answer.stopReason)
    }

    @Test func `calls come each in a block of its own, wherever their pieces stand`() throws {
        func call(_ index: Int, _ members: String) -> String {
            chunk(#"{"tool_calls":[{"index":\#(index),\#(members)}]}"#)
        }
        let (events, _) = try hear([
            chunk(#"{"content":"Let me see."}"#),
            call(0, #""id":"a","function":{"name":"f","arguments":""}"#),
            call(0, #""function":{"arguments":"{\"x\":"}"#),
            call(1, #""id":"b","function":{"name":"g","arguments":"{}"}"#),
            call(0, #""function":{"arguments":"1}"}"#), chunk("{}", finish: "tool_calls"),
        ])
        var inputs: [Int: String] = [:]
        for (name, data) in events where name == "content_block_delta" {
            inputs[data["index"]?.int ?? -1, default: ""] += data["delta"]?["partial_json"]?.string ?? ""
        }
        #expect(inputs == [0: "", 1: #"{"x":1}"#, 2: "{}"])
        #expect(events.count { $0.name == "content_block_stop" } == 3)
        #expect(events.last?.data["delta"]?["stop_reason"]?.string == "tool_use")
    }
}
