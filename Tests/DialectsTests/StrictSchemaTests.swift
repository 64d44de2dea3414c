import JSON
import Testing

@testable import Dialects

/// Schemas as structured outputs take them.
@Suite struct StrictSchemaTests {
    @Test(arguments: [
        Row(
            #"{"type":"object","properties":{"a":{"type":"string"}}}"#,
            #"{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}"#),
        Row(
            #"{"type":"object","additionalProperties":true,"required":["a"],"properties":{}}"#,
            #"{"type":"object","required":["a"],"properties":{},"additionalProperties":false}"#),
        Row(
            #"{"type":"integer","minimum":1,"maximum":10,"description":"A number"}"#,
            #"{"type":"integer","description":"A number\n\n{minimum: 1, maximum: 10}"}"#),
        Row(
            #"{"type":"string","maxLength":3,"format":"email"}"#,
            #"{"type":"string","format":"email","description":"{maxLength: 3}"}"#),
        Row(
            #"{"type":"string","format":"phone"}"#, #"{"type":"string","description":"{format: \"phone\"}"}"#),
        Row(
            #"{"type":"array","items":{"type":"number","multipleOf":2},"minItems":2}"#,
            #"{"type":"array","items":{"type":"number","description":"{multipleOf: 2}"},"description":"{minItems: 2}"}"#
        ),
        Row(
            #"{"type":"array","items":{"type":"object"},"minItems":1}"#,
            #"{"type":"array","items":{"type":"object","additionalProperties":false},"minItems":1}"#),
        Row(
            #"{"oneOf":[{"type":"object"},{"type":"null"}]}"#,
            #"{"anyOf":[{"type":"object","additionalProperties":false},{"type":"null"}]}"#),
        Row(
            ##"{"$ref":"#/$defs/x","$defs":{"x":{"type":["object","null"]}}}"##,
            ##"{"$ref":"#/$defs/x","$defs":{"x":{"type":["object","null"],"additionalProperties":false}}}"##),
        Row(#"{"enum":["a",1],"title":"T"}"#, #"{"enum":["a",1],"title":"T"}"#),
    ])
    func `limits move into words, and objects are closed`(_ row: Row) throws {
        let schema = try StrictSchema.of(try JSON.parse(row.asked), named: "schema")
        #expect(try canonical(String(decoding: schema, as: UTF8.self)) == canonical(row.becomes))
    }

    @Test(arguments: [
        Row(#"{"type":"object","properties":5}"#, "schema.properties"),
        Row(#"{"anyOf":{}}"#, "schema.anyOf"), Row(#"{"$defs":{"a":1}}"#, "schema.$defs.a"),
    ])
    func `what is no schema is refused by its place`(_ row: Row) {
        #expect {
            _ = try StrictSchema.of(try JSON.parse(row.asked), named: "schema")
        } throws: { ($0 as? CompletionRequest.Refused)?.parameter == row.becomes }
    }

    @Test func `a schema that is too deep is refused`() {
        let deep = String(repeating: #"{"items":"#, count: 100) + "{}" + String(repeating: "}", count: 100)
        #expect(throws: CompletionRequest.Refused.self) {
            try StrictSchema.of(try JSON.parse(deep), named: "schema")
        }
    }
}

/// What depends on the model, and messages that are instructions alone.
@Suite struct CompletionModelTests {
    private static let user = #""messages":[{"role":"user","content":"hi"}]"#

    @Test(arguments: [
        ("claude-opus-5-5", true), ("claude-haiku-5-5", true), ("claude-sonnet-5", true),
        ("claude-opus-4-7", true),
        ("claude-haiku-4-5-20251001", false), ("claude-sonnet-4-6", false), ("claude-opus-4-6", false),
        ("claude-3-5-haiku-20241022", false), ("gpt-6-astra", false), ("llama-4", false),
    ])
    func `samplers are left out where the model takes none, and it is said`(model: String, isDropped: Bool)
        throws
    {
        let body = try JSON.parse(#"{"model":"fast","temperature":0.2,"top_p":0.9,\#(Self.user)}"#)
        let request = try CompletionRequest(body, answeredBy: model)
        #expect(request.dropped == (isDropped ? ["temperature", "top_p"] : []))
        #expect((try JSON.parse(request.messages)["temperature"] == nil) == isDropped)
    }

    @Test(arguments: [
        (#"[{"role":"developer","content":"a"}]"#, "[]", "a"),
        (#"[{"role":"system","content":"a"},{"role":"developer","content":"b"}]"#, #"["a"]"#, "b"),
        (
            #"[{"role":"system","content":"a"},{"role":"assistant","content":[],"tool_calls":[{"id":"1","function":{"name":"f"}}]}]"#,
            #"["a"]"#, nil
        ),
    ])
    func `where all are instructions the last one is asked`(
        messages: String, system: String, question: String?
    ) throws {
        let request = try CompletionRequest(try JSON.parse(#"{"messages":\#(messages)}"#))
        let body = try JSON.parse(request.messages)
        let texts = body["system"]?.elements?.compactMap { $0["text"]?.string } ?? []
        #expect(texts == (try JSON.parse(system).elements ?? []).compactMap(\.string))
        #expect(body["messages"]?[0]?["content"]?[0]?["text"]?.string == question)
    }

    @Test(arguments: [
        (#"[{"role":"user","content":[]}]"#, "messages[0].content"),
        (#"[{"role":"system","content":""}]"#, "messages"),
        ("[]", "messages"),
    ])
    func `an empty message is named as empty`(messages: String, parameter: String) throws {
        let body = try JSON.parse(#"{"messages":\#(messages)}"#)
        #expect { _ = try CompletionRequest(body) } throws: { error in
            let refused = error as? CompletionRequest.Refused
            return refused?.parameter == parameter
        }
    }
}
