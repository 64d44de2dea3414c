import JSON
import Jobs
import OpenAPI
import Testing

@testable import renga

@Suite struct TextTests {
    @Test func `numbers, sizes and times are written for people`() {
        #expect(
            [0, 999, 1000, 1_234_567, -1000].map(Text.number) == ["0", "999", "1,000", "1,234,567", "-1,000"])
        #expect([12, 1500, 3_000_000].map(Text.bytes) == ["12 B", "1.5 kB", "3.0 MB"])
        #expect([5, 42_000, 3_905_000, 90_000_000].map(Text.duration) == ["5ms", "42s", "1h 5m", "1d 1h"])
        #expect(Text.count(1, "job") == "1 job" && Text.count(2, "job") == "2 jobs")
    }

    @Test func `what comes from elsewhere cannot steer the terminal`() {
        #expect(Text.oneLine("a\u{1B}[2Jb\nc", limit: 100) == "a [2Jb c")
        #expect(Text.oneLine("abcdef", limit: 3) == "abc…")
    }

    @Test func `columns are as wide as their widest cell, without spaces at the ends`() {
        let text = Columns.text([["a", "1", "x"], ["long", "22", ""]], indent: 2, rightAligned: [1])
        #expect(text == "  a      1  x\n  long  22")
    }

    @Test func `a bar shows how much is done`() {
        #expect(Progress.bar(0) == "[--------------------]   0%")
        #expect(Progress.bar(0.999) == "[###################-]  99%")
        #expect(Progress.bar(2) == "[####################] 100%")
    }

    @Test func `near names are suggested and far ones are not`() {
        #expect(Suggestion.text(for: "jbos", among: ["jobs", "up"]) == " (did you mean jobs?)")
        #expect(Suggestion.text(for: "frobnicate", among: ["jobs", "up"]) == "")
        #expect(Suggestion.distance("ab", "ba") == 1 && Suggestion.distance("", "abc") == 3)
    }

    @Test func `parts of addresses are encoded`() {
        #expect(Query.text([("a", "x y&z"), ("b", nil), ("c", "é/")]) == "?a=x%20y%26z&c=%C3%A9%2F")
        #expect(Query.text([]) == "")
    }

    @Test func `a provider's date can be compared with the clock`() {
        #expect(Doctor.timestamp("Fri, 20 Nov 2026 23:17:23 GMT") == Timestamp(text: "2026-11-20T23:17:23Z"))
        #expect(Doctor.timestamp("yesterday") == nil)
    }

    @Test func `the first words say where the key is and not what it is`() {
        let greeting = Greeting(
            address: "127.0.0.1:1", url: "http://127.0.0.1:1", database: "d", isSimulated: false,
            header: "x-api-key: $RENGA_API_KEY")
        #expect(greeting.text.contains(#"-H "x-api-key: $RENGA_API_KEY""#))
        #expect(!greeting.text.contains("simulator"))
    }

    @Test func `what a retry mends is read strictly`() throws {
        let set = try JobChangeText.read(["model=claude-haiku-4-5", "max_tokens=9"])
        #expect(set == Array(#"{"model":"claude-haiku-4-5","max_tokens":9}"#.utf8))
        #expect(try JobChangeText.read([]) == nil)
        for wrong in ["model", "modle=x", "max_tokens=many"] {
            #expect(throws: UsageError.self) { _ = try JobChangeText.read([wrong]) }
        }
    }

    @Test func `the OpenAPI document is of this version`() throws {
        #expect(try JSON.parse(OpenAPI.document)["info"]?["version"]?.string == Version.current)
    }
}
