import JSON
import Telemetry
import Testing

@Suite struct TerminalTextTests {
    @Test(arguments: [
        ("plain – é 👩‍👩‍👧", "plain – é 👩‍👩‍👧"), ("a\u{1B}[2Jb", "a\\u{1b}[2Jb"), ("\u{9B}31m", "\\u{9b}31m"),
        ("x\u{202E}y\u{7F}", "x\\u{202e}y\\u{7f}"), ("a\nb\r\tc", "a\\nb\\r\\tc"),
    ])
    func `What steers a terminal is spelled out`(text: String, shown: String) {
        #expect(TerminalText.escaped(text) == shown)
    }

    @Test func `Line ends stay where they are wanted`() {
        #expect(TerminalText.escaped("a\r\nb\n\tc\rd", keepingLines: true) == "a\nb\n\tc\\rd")
    }

    @Test func `JSON says the same afterwards`() throws {
        let text = "a\u{9B}31m\u{7F}\u{E0001}é\u{202E}"
        let json = "{\"a\":\"\(text)\"}\n"
        let escaped = TerminalText.escaped(json: json)
        #expect(escaped.unicodeScalars.allSatisfy { $0 == "\n" || !$0.steersTerminals })
        #expect(try JSON.parse(escaped)["a"]?.string == text)
    }
}
