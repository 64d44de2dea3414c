import JSON
import Testing

@testable import Jobs

@Suite struct AnswerSchemaTests {
    private static let ticket = #"""
        {"type":"object","properties":{"label":{"type":"string","enum":["bug","feature"]},
         "confidence":{"type":"number","minimum":0,"maximum":1},
         "lines":{"type":"array","items":{"$ref":"#/$defs/line"},"minItems":1},
         "due":{"type":["string","null"],"format":"date"}},
         "required":["label","confidence"],"additionalProperties":false,
         "$defs":{"line":{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}}}
        """#

    private func reasons(_ schema: String, _ value: String) throws -> [String] {
        try AnswerSchema(try JSON.parse(schema), named: "schema").reasons(about: try JSON.parse(value))
    }

    @Test(arguments: [
        #"{"label":"bug","confidence":0.9}"#,
        #"{"label":"feature","confidence":1,"lines":[{"n":1.0}],"due":null}"#,
        #"{"label":"bug","confidence":0,"due":"2026-02-28"}"#,
    ])
    func `what fits has no complaints`(value: String) throws {
        #expect(try reasons(Self.ticket, value) == [])
    }

    @Test func `a member whose name only looks like an allowed one is another`() throws {
        let schema = #"{"properties":{"caf\u00e9":{"type":"null"}},"additionalProperties":false}"#
        #expect(try reasons(schema, #"{"caf\u00e9":null}"#) == [])
        #expect(try reasons(schema, #"{"cafe\u0301":1}"#).count == 1)
    }

    @Test(arguments: [
        (#"{"label":"bug"}"#, "/confidence is missing"),
        (#"{"label":"question","confidence":0.5}"#, #"/label must be "bug" or "feature", not "question""#),
        (#"{"label":"bug","confidence":"high"}"#, "/confidence must be number, not a string"),
        (#"{"label":"bug","confidence":2}"#, "/confidence must be at most 1"),
        (#"{"label":"bug","confidence":1,"lines":[]}"#, "/lines must have a number of items of at least 1"),
        (
            #"{"label":"bug","confidence":1,"lines":[{"n":1},{"n":1.5}]}"#,
            "/lines/1/n must be integer, not a number"
        ),
        (#"{"label":"bug","confidence":1,"extra":1}"#, "/extra is not one of the members allowed"),
        (#"{"label":"bug","confidence":1,"due":"tomorrow"}"#, #"/due must be a date, not "tomorrow""#),
        ("[1]", "it must be object, not an array"),
    ])
    func `what does not fit is named with its place`(value: String, reason: String) throws {
        #expect(try reasons(Self.ticket, value) == [reason])
    }

    @Test func `branches are tried one by one`() throws {
        let either = #"{"anyOf":[{"type":"string"},{"type":"integer"}]}"#
        #expect(try reasons(either, "3") == [])
        #expect(try reasons(either, "3.5") == ["it fits none of the 2 forms that it may have"])
        let one = #"{"oneOf":[{"type":"number"},{"type":"integer"}]}"#
        #expect(try reasons(one, "3") == ["it fits 2 forms where it must fit one"])
        let all = #"{"allOf":[{"type":"string"},{"pattern":"^a"}]}"#
        #expect(try reasons(all, #""b""#) == ["it must match ^a"])
    }

    @Test(arguments: [
        (#"{"type":"text"}"#, "schema.type"),
        (#"{"properties":{"a":{"typ":"string"}}}"#, "schema.properties.a.typ"),
        (#"{"$ref":"https://example.com/x"}"#, "schema.$ref"), (#"{"pattern":"("}"#, "schema.pattern"),
        (
            ##"{"$ref":"#/$defs/a","$defs":{"a":{"items":{"$ref":"#/$defs/a"}}}}"##,
            "schema.$defs.a.items.$ref"
        ),
        (#"{"enum":[]}"#, "schema.enum"), (#"{"minItems":-1}"#, "schema.minItems"), ("[]", "schema"),
        (#"{"not":{"type":"null"}}"#, "schema.not"), (#"{"format":"colour"}"#, "schema.format"),
    ])
    func `a schema that is not understood whole is refused with the keyword`(schema: String, field: String)
        throws
    {
        let json = try JSON.parse(schema)
        let error = #expect(throws: CheckError.self) { _ = try AnswerSchema(json, named: "schema") }
        #expect(error?.field == field)
    }

    @Test func `branches within branches do not multiply without end`() throws {
        let levels = (0..<40).map { level in
            let next = ##"{"$ref":"#/$defs/l\##(level + 1)"}"##
            return #""l\#(level)":{"anyOf":[\#(next),\#(next)]}"#
        }
        let schema =
            ##"{"$ref":"#/$defs/l0","$defs":{"## + levels.joined(separator: ",")
            + #","l40":{"type":"null"}}}"#
        #expect(try reasons(schema, "1").isEmpty == false)
    }

    @Test(arguments: SchemaFormats.sources.keys.sorted())
    func `every format is a pattern`(name: String) throws {
        #expect(throws: Never.self) { _ = try Pattern(SchemaFormats.sources[name] ?? "(") }
    }
}
