import Foundation
import System
import Testing

@Suite struct LineReaderTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func lines(_ text: String, maxLineLength: Int = 100) throws -> [String] {
        var reader = try LineReader(
            path: folder.write("lines", Array(text.utf8)), maxLineLength: maxLineLength)
        return try all(&reader)
    }

    private func all(_ reader: inout LineReader) throws -> [String] {
        var lines: [String] = []
        while let line = try reader.next() { lines.append(String(decoding: line, as: UTF8.self)) }
        return lines
    }

    @Test(
        arguments: [
            ("", []), ("a", ["a"]), ("a\n", ["a"]), ("a\n\nb", ["a", "", "b"]), ("\n", [""]),
            ("a\r\nb\r\n", ["a", "b"]),
            ("\r\n", [""]), ("a\rb\n", ["a\rb"]), ("é\n日", ["é", "日"]),
        ] as [(String, [String])])
    func `lines end at a line feed, with or without a carriage return`(_ text: String, _ expected: [String])
        throws
    {
        #expect(try lines(text) == expected)
    }

    @Test func `lines that straddle reads come whole`() throws {
        let expected = (0..<30_000).map { "\($0) " + String(repeating: "x", count: $0 % 97) }
        #expect(try lines(expected.joined(separator: "\n"), maxLineLength: 200) == expected)
        let long = [String(repeating: "y", count: 1_000_000), "z"]
        #expect(try lines(long.joined(separator: "\r\n"), maxLineLength: 1_000_000) == long)
    }

    @Test(arguments: ["aaaaa\n", "aaaaa\r\n", "aaaaa"])
    func `a line may be as long as the limit and no longer`(_ text: String) throws {
        #expect(try lines(text, maxLineLength: 5) == ["aaaaa"])
        #expect(throws: SystemError.self) { _ = try lines(text, maxLineLength: 4) }
    }

    @Test func `a line that is too long is refused by number, in bounded memory, again and again`() throws {
        var reader = try LineReader(
            path: try folder.write("long", Array("ok\n".utf8) + [UInt8](repeating: 65, count: 3_000_000)),
            maxLineLength: 1_000)
        #expect(try reader.next() == Array("ok".utf8))
        #expect(reader.lineNumber == 1)
        for _ in 0..<2 {
            do {
                _ = try reader.next()
                Issue.record("the long line was accepted")
            } catch { #expect(error.message == "line 2 is longer than 1000 bytes") }
        }
    }

    @Test func `a pipe is read as it comes`() throws {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        var reader = LineReader(fd: ends[0], maxLineLength: 100)
        try writeAll(ends[1], Array("one\ntw".utf8))
        #expect(try reader.next() == Array("one".utf8))
        try writeAll(ends[1], Array("o\n".utf8))
        #expect(try reader.next() == Array("two".utf8))
        close(ends[1])
        #expect(try reader.next() == nil)
        #expect(try reader.next() == nil)
        close(ends[0])
    }
}
