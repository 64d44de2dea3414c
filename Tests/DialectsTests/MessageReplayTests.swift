import Dialects
import JSON
import Jobs
import Testing

@Suite struct MessageReplayTests {
    private static let message = """
        {"id":"msg_1","type":"message","role":"assistant","model":"claude-haiku-4-5-20251001",
        "content":[{"type":"thinking","thinking":"hm","signature":"s1"},
        {"type":"text","text":"Four.","citations":[{"type":"char_location","cited_text":"4"}]},
        {"type":"tool_use","id":"toolu_1","name":"add","input":{"a":1,"b":[2,3]}},
        {"type":"redacted_thinking","data":"xx"}],
        "stop_reason":"tool_use","stop_sequence":null,
        "usage":{"input_tokens":21,"output_tokens":9,"cache_read_input_tokens":5}}
        """

    private func events() throws -> [(name: String, data: JSON)] {
        try #require(MessageReplay.events(of: Array(Self.message.utf8))).map {
            ($0.name, try JSON.parse($0.data))
        }
    }

    @Test func `events come in the order of the grammar`() throws {
        let names = try events().map(\.name)
        #expect(names.first == "message_start")
        #expect(names.suffix(2) == ["message_delta", "message_stop"])
        #expect(names.count { $0 == "content_block_start" } == 4)
        #expect(names.count { $0 == "content_block_stop" } == 4)
        #expect(try events().allSatisfy { $0.data["type"]?.string == $0.name })
    }

    @Test func `the start says nothing that is known only at the end`() throws {
        let start = try #require(try events().first?.data["message"])
        #expect(start["content"]?.count == 0)
        #expect(start["stop_reason"]?.isNull == true)
        #expect(start["usage"]?["input_tokens"]?.int == 21)
        #expect(start["usage"]?["output_tokens"]?.int == 1)
    }

    @Test func `what clients put together from it is the Message`() throws {
        var text = ""
        var input = ""
        var signature = ""
        for (name, data) in try events() where name == "content_block_delta" {
            text += data["delta"]?["text"]?.string ?? ""
            input += data["delta"]?["partial_json"]?.string ?? ""
            signature += data["delta"]?["signature"]?.string ?? ""
        }
        #expect(text == "Four.")
        #expect(input == #"{"a":1,"b":[2,3]}"#)
        #expect(signature == "s1")
        let end = try #require(try events().first { $0.name == "message_delta" }?.data)
        #expect(end["delta"]?["stop_reason"]?.string == "tool_use")
        #expect(end["usage"]?["output_tokens"]?.int == 9)
    }

    @Test(arguments: ["", "[]", "{}", #"{"content":"text"}"#])
    func `what is no Message has no events`(_ text: String) {
        #expect(MessageReplay.events(of: Array(text.utf8)) == nil)
    }

    @Test func `data of several lines stay one event`() {
        let event = AnswerEvent(name: "a", data: Array("{\n}".utf8))
        #expect(String(decoding: EventText.of([event]), as: UTF8.self) == "event: a\ndata: {\ndata: }\n\n")
    }
}
