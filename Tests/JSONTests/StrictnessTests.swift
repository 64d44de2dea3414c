import JSON
import Testing

/// The edges of RFC 8259.
@Suite struct StrictnessTests {
    @Test(arguments: [
        "null", "true", "false", "0", "-0", "0.5", "1e5", "1E+5", "1e-5", "-1.25e10", "\"\"", "[]", "{}",
        " \t\r\n[ ] ", "[[],{}]", "{\"\":0}", #"{"a":{"a":1},"b":{"a":1}}"#, #""\"\\\/\b\f\n\r\t\u00e9""#,
        #""\ud83d\ude00""#, #""\uD834\uDD1E""#, #""\u0000""#, "\"\u{7F}\"", "\"\u{2028}\u{2029}\"",
        "\"\u{10FFFF}\"", "\"\u{FEFF}\"", "\"é日😀\"", #"{"a":1,"A":2}"#, "1e999", #""\uDBFF\uDFFF""#,
    ])
    func `reads what the grammar allows`(_ text: String) throws {
        let value = try JSON.parse(text)
        #expect(value.canonical() == (try JSON.parse(value.canonical())).canonical())
    }

    @Test(arguments: [
        ("", JSONError.Code.unexpectedEnd), (" ", .unexpectedEnd), ("[", .unexpectedEnd),
        ("{", .unexpectedEnd),
        ("[1", .unexpectedEnd), ("[1,", .unexpectedEnd), ("{\"a\"", .unexpectedEnd),
        ("{\"a\":", .unexpectedEnd),
        ("{\"a\":1", .unexpectedEnd), ("{\"a\":1,", .unexpectedEnd), ("\"abc", .unexpectedEnd),
        ("]", .syntax), ("}", .syntax), (",", .syntax), (":", .syntax), ("[1,]", .syntax), ("[,1]", .syntax),
        ("[1 2]", .syntax), ("[1,,2]", .syntax), ("[1}", .syntax), ("{\"a\":1]", .syntax),
        ("{\"a\":1,}", .syntax),
        ("{,}", .syntax), ("{1:2}", .syntax), ("{a:1}", .syntax), ("{\"a\" 1}", .syntax),
        ("{\"a\",1}", .syntax),
        ("{\"a\":}", .syntax), ("{'a':1}", .syntax), ("'a'", .syntax), ("tru", .syntax), ("True", .syntax),
        ("nul", .syntax), ("NaN", .syntax), ("Infinity", .syntax), ("+1", .syntax), (".5", .syntax),
        ("// x\n1", .syntax), ("\u{FEFF}1", .syntax), ("\u{A0}1", .syntax), ("\u{0C}1", .syntax),
        ("\0", .syntax),
        ("undefined", .syntax), ("1\0", .trailingGarbage),
        ("1 2", .trailingGarbage), ("{}{}", .trailingGarbage), ("[]]", .trailingGarbage),
        ("truex", .trailingGarbage),
        ("0x10", .trailingGarbage), ("1_000", .trailingGarbage), ("\"a\" // x", .trailingGarbage),
        ("-", .invalidNumber), ("01", .invalidNumber), ("-01", .invalidNumber), ("00", .invalidNumber),
        ("1.", .invalidNumber), ("1.e5", .invalidNumber), ("1e", .invalidNumber), ("1e+", .invalidNumber),
        ("-a", .invalidNumber), ("-.5", .invalidNumber), ("1.-2", .invalidNumber),
        ("\"\n\"", .invalidString), ("\"\t\"", .invalidString), ("\"\0\"", .invalidString),
        ("\"\u{1F}\"", .invalidString),
        (#""\x41""#, .invalidString), (#""\'""#, .invalidString), (#""\u12""#, .invalidString),
        (#""\u12g4""#, .invalidString), (#""\U0041""#, .invalidString), (#""\ud800""#, .invalidString),
        (#""\udc00""#, .invalidString), (#""\ud800\ud800""#, .invalidString), (#""\ud800x""#, .invalidString),
        (#""\ud800\n""#, .invalidString), (#""\udc00\ud800""#, .invalidString),
        (#""\ud800\u"#, .invalidString),
        (#""\"#, .invalidString), (#""\u"#, .invalidString), (#""\u123"#, .invalidString),
        (#"{"a":1,"a":1}"#, .duplicateKey), (#"{"a":1,"\u0061":1}"#, .duplicateKey),
        (#"[{"x":{"":1,"":2}}]"#, .duplicateKey),
    ])
    func `refuses the rest`(_ text: String, _ code: JSONError.Code) {
        let error = #expect(throws: JSONError.self) { _ = try JSON.parse(text) }
        #expect(error?.code == code, "\(error?.message ?? "")")
    }

    @Test(
        arguments: [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x20], [0xE0, 0x9F, 0xBF],
            [0xE1, 0x80],
            [0xE1, 0x80, 0x41], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x8F, 0xBF, 0xBF],
            [0xF0, 0x90, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF],
        ] as [[UInt8]])
    func `refuses bytes that are not UTF-8`(_ bytes: [UInt8]) {
        for tail in ["\"", "\"   ", ""] {
            let error = #expect(throws: JSONError.self) {
                _ = try JSON.parse([0x22] + bytes + Array(tail.utf8))
            }
            #expect(error?.code == .invalidUTF8)
            #expect(error?.offset == 1)
        }
        #expect(throws: JSONError.self) { _ = try JSON.parse(bytes) }
    }

    @Test(arguments: ["[", "{\"a\":", "[{\"a\":"])
    func `a hundred thousand brackets are an error, not a crash`(_ opening: String) {
        let text = String(repeating: opening, count: 100_000)
        let error = #expect(throws: JSONError.self) { _ = try JSON.parse(Array(text.utf8), maxDepth: .max) }
        #expect(error?.code == .tooDeep)
    }

    @Test func `nesting is allowed up to the limit`() throws {
        let nested = { (depth: Int) in
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        #expect(try JSON.parse(nested(128)).kind == .array)
        #expect(throws: JSONError.self) { _ = try JSON.parse(nested(129)) }
        let deepest = nested(JSON.deepest)
        #expect(try JSON.parse(deepest, maxDepth: .max).canonical() == deepest)
    }

    @Test func `a duplicate among many keys is found, escaped or not`() throws {
        let keys = (0..<5_000).map { "\"key-\($0)\":\($0)" }
        #expect(try JSON.parse("{\(keys.joined(separator: ","))}").count == 5_000)
        for twin in ["\"key-4321\":0", "\"\\u006bey-4321\":0"] {
            let text = "{\((keys + [twin]).joined(separator: ","))}"
            let error = #expect(throws: JSONError.self) { _ = try JSON.parse(text) }
            #expect(error?.code == .duplicateKey)
            #expect(error?.message.contains("“key-4321”") == true)
        }
    }

    @Test(arguments: [
        (
            "{\"a\":1,\n \"é\": nope}",
            "line 2, column 7: expected a value, found “n”; the only words are true"
        ),
        (
            "{\"a\":1,}",
            "line 1, column 8: expected a key, found “}”; JSON allows no comma after the last member"
        ),
        ("[1,]", "line 1, column 4: expected a value, found “]”; JSON allows no comma after the last value"),
        ("{'a':1}", "line 1, column 2: expected a key in double quotes, found “'”"),
        ("[1", "line 1, column 3: expected a comma or “]”, found the end of the text"),
        ("{\"a\" 1}", "line 1, column 6: expected a colon after the key, found “1”"),
        ("{\"a\":1,\"b\":2,\"a\":3}", "line 1, column 14: the key “a” appears twice in this object"),
        ("\"abc", "line 1, column 1: the string that starts here is never closed"),
        ("{} 日", "line 1, column 4: the JSON value has ended; “日” must not follow it"),
        ("\u{1}", "line 1, column 1: expected a value, found the byte 0x01"),
    ])
    func `messages say where and what`(_ text: String, _ message: String) {
        let error = #expect(throws: JSONError.self) { _ = try JSON.parse(text) }
        #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
        #expect("\(error?.message ?? "")" == error.map(String.init(describing:)))
    }
}
