import JSON
import Testing

@testable import Jobs

@Suite struct CheckTests {
    private func check(_ text: String) throws -> Check { try Check(try JSON.parse(text)) }

    private func message(_ text: String, stop: String = "end_turn") -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("type", "message")
            writer.field("stop_reason", stop)
            writer.key("content")
            writer.array { writer in
                writer.object { writer in
                    writer.field("type", "text")
                    writer.field("text", text)
                }
            }
        }
        return writer.bytes
    }

    private func reason(_ rules: String, _ text: String, stop: String = "end_turn") throws -> String? {
        try check(rules).reason(about: message(text, stop: stop), to: Array("{}".utf8))
    }

    @Test func `labels are exact but for the white space around them, and for case where asked`() throws {
        let rules = #"{"labels":["positive","negative"]}"#
        #expect(try reason(rules, " positive\n") == nil)
        #expect(
            try reason(rules, "Positive")
                == "the answer must be one of “positive”, “negative” and nothing else, not “Positive”")
        #expect(try reason(#"{"labels":["positive"],"ignore_case":true}"#, "POSITIVE") == nil)
    }

    @Test func `confidence is a number at its place, not below the least`() throws {
        let rules = #"{"confidence":{"at":"/result/confidence","min":0.85}}"#
        #expect(try reason(rules, #"{"result":{"confidence":0.85}}"#) == nil)
        #expect(
            try reason(rules, #"{"result":{"confidence":0.6}}"#)
                == "the answer's /result/confidence is 0.6, below 0.85")
        #expect(try reason(rules, "{}") == "the answer's JSON has nothing at /result/confidence")
        #expect(try reason(rules, #"{"result":{"confidence":"high"}}"#)?.contains("a string") == true)
    }

    @Test func `a place may have names that begin with marks`() throws {
        let json = try JSON.parse(#"{"a~\u0301":{"\u0301b":[7]}}"#)
        let pointer = try #require(JSONPointer("/a~0\u{301}/\u{301}b/0"))
        #expect(pointer.value(in: json)?.int == 7)
        #expect(JSONPointer("/~\u{301}") == nil && JSONPointer("\u{301}/a") == nil)
    }

    @Test func `JSON stands alone`() throws {
        let rules = #"{"schema":{"type":"object"}}"#
        #expect(try reason(rules, "{}") == nil)
        #expect(try reason(rules, "```json\n{}\n```")?.contains("fence") == true)
        #expect(try reason(rules, "Here it is: {}")?.contains("JSON and nothing else") == true)
        #expect(try reason(rules, "[]") == "in the answer's JSON it must be object, not an array")
    }

    @Test func `several rules complain together, and a cut answer says so`() throws {
        let rules = #"{"labels":["a"],"pattern":"^[a-c]$"}"#
        let text = try #require(try reason(rules, "d", stop: "max_tokens"))
        #expect(
            text.contains("one of “a”") && text.contains("^[a-c]$") && text.hasSuffix("cut at max_tokens"))
        #expect(try reason(#"{"pattern":"."}"#, "No.", stop: "refusal") == "the model refused to answer")
    }

    @Test func `a tool's input is held to the tool's own schema`() throws {
        let rules = try check(#"{"tool_input":true}"#)
        let request = Array(
            #"""
            {"tools":[{"name":"file","input_schema":{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}}],
             "tool_choice":{"type":"any"}}
            """#.utf8)
        func answer(_ name: String, _ input: String) -> [UInt8] {
            Array(#"{"content":[{"type":"tool_use","id":"t","name":"\#(name)","input":\#(input)}]}"#.utf8)
        }
        #expect(rules.reason(about: answer("file", #"{"n":1}"#), to: request) == nil)
        #expect(
            rules.reason(about: answer("file", "{}"), to: request) == "in the input of file /n is missing")
        #expect(
            rules.reason(about: answer("delete", "{}"), to: request)?.contains("does not exist") == true)
        #expect(rules.reason(about: message("Hi"), to: request) == "the answer calls no tool")
        let schema = try check(#"{"schema":{"required":["n"]}}"#)
        #expect(schema.reason(about: answer("file", #"{"n":1}"#), to: request) == nil)
    }

    @Test(arguments: [
        ("{}", "check"), ("[]", "check"), (#"{"labels":[]}"#, "check.labels"),
        (#"{"labels":["a",1]}"#, "check.labels"),
        (#"{"ignore_case":true}"#, "check.ignore_case"), (#"{"pattern":"("}"#, "check.pattern"),
        (#"{"confidence":{"at":"confidence","min":1}}"#, "check.confidence.at"),
        (#"{"confidence":{"at":"/c"}}"#, "check.confidence.min"),
        (#"{"confidence":{"at":"/c","min":1,"max":2}}"#, "check.confidence.max"),
        (#"{"pattern":"a","on_fail":["retry"]}"#, "check.on_fail[0]"),
        (#"{"pattern":"a","on_fail":["review","repair"]}"#, "check.on_fail[1]"),
        (#"{"pattern":"a","on_fail":[{"escalate":""}]}"#, "check.on_fail[0]"),
        (#"{"regex":"a"}"#, "check.regex"),
    ])
    func `a check that cannot be taken says which field`(text: String, field: String) throws {
        let json = try JSON.parse(text)
        let error = #expect(throws: CheckError.self) { _ = try Check(json) }
        #expect(error?.field == field)
    }

    @Test func `each step is used once, in order, and then the job fails`() throws {
        let rules = Array(
            #"{"labels":["a"],"on_fail":["repair",{"escalate":"m"},"review"]}"#.utf8)
        let steps = (0...3).map { used in
            OpenCheck(rules: rules, used: used).failure(of: message("b"), to: [])?.step
        }
        #expect(steps == [.repair, .escalate(model: "m"), .review, .fail])
        #expect(OpenCheck(rules: rules, used: 0).failure(of: message("a"), to: []) == nil)
        let alone = Array(#"{"labels":["a"],"on_fail":"review"}"#.utf8)
        #expect(OpenCheck(rules: alone, used: 0).failure(of: message("b"), to: [])?.step == .review)
    }
}

@Suite struct NextRequestTests {
    @Test func `a repair shows the model its answer and what is wrong with it`() throws {
        let request = Array(#"{"model":"m","messages":[{"role":"user","content":"Hi"}],"max_tokens":5}"#.utf8)
        let answer = Array(#"{"content":[{"type":"text","text":""},{"type":"text","text":"Ho"}]}"#.utf8)
        let next = try JSON.parse(try NextRequest.repair(request, answer: answer, reason: "no"))
        let turns = try #require(next["messages"]?.elements)
        #expect(turns.map { $0["role"]?.string } == ["user", "assistant", "user"])
        #expect(String(decoding: turns[1].raw, as: UTF8.self).contains(#"[{"type":"text","text":"Ho"}]"#))
        #expect(turns[2]["content"]?[0]?["text"]?.string?.contains("did not pass a check: no.") == true)
        #expect(next["max_tokens"]?.int == 5)
    }

    @Test func `a tool call gets its result before anything else is said`() throws {
        let request = Array(#"{"messages":[{"role":"user","content":"Hi"}]}"#.utf8)
        let answer = Array(#"{"content":[{"type":"tool_use","id":"t1","name":"f","input":{}}]}"#.utf8)
        let next = try JSON.parse(try NextRequest.repair(request, answer: answer, reason: "no"))
        let result = try #require(next["messages"]?[2]?["content"]?[0])
        #expect(result["type"]?.string == "tool_result")
        #expect(result["tool_use_id"]?.string == "t1")
        let empty = try JSON.parse(
            try NextRequest.repair(request, answer: Array(#"{"content":[]}"#.utf8), reason: "no"))
        #expect(empty["messages"]?.count == 2)
    }

    @Test func `an escalation changes the model and nothing else`() throws {
        let request = Array(#"{"model":"m","messages":[],"temperature":0.10}"#.utf8)
        let next = try NextRequest.escalation(of: request, to: "n")
        #expect(String(decoding: next, as: UTF8.self) == #"{"model":"n","messages":[],"temperature":0.10}"#)
    }
}
