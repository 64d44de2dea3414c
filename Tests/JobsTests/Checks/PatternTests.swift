import Jobs
import TestSupport
import Testing

@Suite struct PatternTests {
    @Test(arguments: [
        ("^[A-Z]{2}-\\d{3,5}$", "AB-1234", true), ("^[A-Z]{2}-\\d{3,5}$", "AB-12", false),
        ("^(yes|no)$", "no", true), ("^(yes|no)$", "nobody", false), ("b+", "aabba", true),
        ("^a.c$", "a\nc", false), ("^a.c$", "aüc", true), ("^[^0-9]*$", "abc", true),
        ("^[^0-9]*$", "a1", false),
        ("(?i)^straße$", "STRAßE", true), ("\\bcat\\b", "a cat sat", true),
        ("\\bcat\\b", "concatenate", false),
        ("^(?:ab)*$", "ababab", true), ("^(?:ab)*$", "aba", false), ("^a{2}$", "aa", true),
        ("^a{2}$", "aaa", false),
        ("^a{2,}$", "aaaaa", true), ("^colou?r$", "color", true), ("^[\\w.-]+@[\\w-]+$", "a.b@c", true),
        ("^[]a]+$", "a]", true), ("^\\u00e9$", "é", true), ("", "anything", true), ("^$", "", true),
        ("^(a|b|cd)*?$", "abcdab", true), ("{x}", "a{x}b", true), ("^\\d+(?:\\.\\d+)?$", "3.14", true),
    ])
    func `a pattern is found, or not`(source: String, text: String, isFound: Bool) throws {
        #expect(try Pattern(source).isFound(in: text) == isFound)
    }

    @Test(arguments: [
        "(", ")", "[a", "a**", "*a", "a{3,1}", "a{2", "(a)\\1", "(?=a)", "(?<name>a)", "\\q", "[z-a]", "a\\",
        "a{5000}", "(a{1000}){1000}", String(repeating: "a", count: 3000),
    ])
    func `a pattern that cannot be matched in bounded time, or not at all, is refused`(source: String) {
        #expect(throws: PatternError.self) { _ = try Pattern(source) }
    }

    @Test func `patterns that are deadly to other engines take no time`() throws {
        let text = String(repeating: "a", count: 5_000) + "!"
        for source in ["^(a+)+$", "^(a|aa)+$", "^(a*)*$", "^((){1000}){1000}b$"] {
            #expect(try Pattern(source).isFound(in: text) == false)
        }
    }

    @Test(.onThread) func `a text too long to tell is neither a match nor none`() throws {
        let pattern = try Pattern("(a?){500}b")
        #expect(pattern.isFound(in: String(repeating: "a", count: 50_000)) == nil)
    }
}
