import JSON
import Testing

@Suite struct CanonicalTests {
    private func canonical(_ text: String) throws -> String {
        String(decoding: try JSON.parse(text).canonical(), as: UTF8.self)
    }

    @Test func `white space goes and keys are sorted at every depth`() throws {
        #expect(
            try canonical(#" { "b" : [ 3 , {"z":1, "a":2} ] , "a" : null } "#)
                == #"{"a":null,"b":[3,{"a":2,"z":1}]}"#)
    }

    /// The example of RFC 8785 §3.2.3: U+1F600 sorts before U+FB33, because its surrogates do.
    @Test func `keys sort by UTF-16 code units`() throws {
        let keys = #"{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7,"":8,"12":9}"#
        let sorted = try JSON.parse(try canonical(keys)).members?.map(\.key)
        #expect(sorted == ["", "\r", "1", "12", "\u{80}", "ö", "€", "😀", "\u{FB33}"])
        #expect(
            try canonical("{\"\u{FB33}\":1,\"😀\":2,\"\u{D7FF}\":3}")
                == "{\"\u{D7FF}\":3,\"😀\":2,\"\u{FB33}\":1}")
    }

    @Test func `strings have one escaping`() throws {
        let all = #""\u0041\/\"\\\b\f\n\r\t\u0000\u001F\u007f\u2028\ud83d\ude00é""#
        #expect(try canonical(all) == "\"A/\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f\u{7F}\u{2028}😀é\"")
    }

    @Test func `numbers keep their text`() throws {
        let numbers = "[1.0,1,1e3,1E+3,-0,0.10,12345678901234567890]"
        #expect(try canonical(numbers) == numbers)
    }

    @Test(arguments: [
        "{}", #"{"stream":true}"#, #"{"a":1}"#, #"{"z":1,"a":2}"#, #"{"z":"{","\u0073tream":null,"a":[]}"#,
        #"{"strea":1,"streams":2,"\u00e9":3}"#,
    ])
    func `setting a member gives the form that replacing it would`(text: String) throws {
        let value = try JSON.parse(text)
        var bytes: [UInt8] = []
        value.appendCanonical(to: &bytes, setting: (key: "stream", value: "false"))
        let replaced = try JSON.parse(value.replacing("stream", with: Array("false".utf8))).canonical()
        #expect(bytes == replaced)
    }

    @Test func `omitting leaves out keys of the top level only`() throws {
        let value = try JSON.parse(#"{"stream":true,"a":{"stream":1},"\u006detadata":{}}"#)
        var bytes: [UInt8] = []
        value.appendCanonical(to: &bytes, omitting: ["stream", "metadata"])
        #expect(String(decoding: bytes, as: UTF8.self) == #"{"a":{"stream":1}}"#)
    }

    @Test(arguments: [
        (#"{"a":1, "model" : "x" ,"b":2}"#, #"{"a":1, "model" : NEW ,"b":2}"#),
        (#"{"a": 1 }"#, #"{"a": 1,"model":NEW }"#),
        (#"{}"#, #"{"model":NEW}"#),
        (#"{ }"#, #"{"model":NEW }"#),
        (#"{"m\u006fdel":[1,{"model":2}]}"#, #"{"m\u006fdel":NEW}"#),
        (#"{"a":{"model":1}}"#, #"{"a":{"model":1},"model":NEW}"#),
    ])
    func `replacing changes one member and no other byte`(_ source: String, _ expected: String) throws {
        let result = try JSON.parse(source).replacing("model", with: Array("NEW".utf8))
        #expect(String(decoding: result, as: UTF8.self) == expected)
    }

    @Test func `replacing works on an object inside a document`() throws {
        let inner = try #require(try JSON.parse(#"[0,{"a":1},2]"#)[1])
        #expect(String(decoding: inner.replacing("a", with: Array("9".utf8)), as: UTF8.self) == #"{"a":9}"#)
        #expect(String(decoding: inner.canonical(), as: UTF8.self) == #"{"a":1}"#)
    }

    @Test(arguments: ["", "plain", "é😀", #"\u00e9\ud83d\ude00\n\"\\"#])
    func `a text's length is told without reading it`(content: String) throws {
        let value = try JSON.parse("\"\(content)\"")
        #expect(value.stringBytes == value.string?.utf8.count)
        #expect(try JSON.parse("[1]").stringBytes == nil)
    }
}
