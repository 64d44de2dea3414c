import Testing

@testable import Models

@Suite struct EventReaderTests {
    @Test(arguments: [
        ("event: a\ndata: 1\n\n", ["a=1"]),
        ("event: a\r\ndata: 1\r\n\r\nevent: b\r\ndata: 2\r\n\r\n", ["a=1", "b=2"]),
        ("event: a\rdata: 1\r\rdata: 2\r\r", ["a=1", "=2"]),
        ("event:a\ndata:1\n\n", ["a=1"]),
        ("data:  two spaces\n\n", ["= two spaces"]),
        (": comment\n\ndata: 1\n: more\n\n", ["=1"]),
        ("data: 1\ndata: 2\ndata\n\n", ["=1\n2\n"]),
        ("event: no data\n\ndata: x\n\n", ["=x"]),
        ("id: 7\nretry: 10\nwhat: ever\nbare\ndata: x\n\n", ["=x"]),
        ("\u{FEFF}data: x\n\n", ["=x"]),
        ("\n\n\ndata: é😀\n\n\n\n", ["=é😀"]),
        ("data:\n\n", ["="]),
        ("data: unfinished\n", []),
    ])
    func `Events are read as the standard says, wherever the pieces are cut`(text: String, expected: [String])
    {
        for size in [1, 2, 3, 5, 1000] {
            var reader = EventReader(limit: 100)
            var events: [String] = []
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                let found = reader.take(Array(rest.prefix(size)))
                events += found.map { "\($0.name)=\(String(decoding: $0.data, as: UTF8.self))" }
                rest = rest.dropFirst(size)
            }
            #expect(events == expected, "in pieces of \(size)")
        }
    }

    @Test func `An event or a line beyond the limit is refused, and what came before it is not lost`() {
        var long = EventReader(limit: 10)
        #expect(long.take(Array("data: 1\n\ndata: 12345678901".utf8)) == [ServerEvent(data: Array("1".utf8))])
        #expect(long.isTooLarge)
        var many = EventReader(limit: 12)
        #expect(many.take(Array("data: 123456\ndata: 12345\n\n".utf8)).count == 1 && !many.isTooLarge)
        #expect(many.take(Array("data: 123456\ndata: 123456\n\n".utf8)).isEmpty && many.isTooLarge)
        #expect(many.take(Array("data: 1\n\n".utf8)).isEmpty && many.end() == nil)
    }

    @Test func `An event without its empty line is given at the end`() {
        var reader = EventReader(limit: 100)
        #expect(reader.take(Array("event: a\ndata: 1".utf8)).isEmpty)
        #expect(reader.end() == ServerEvent(name: "a", data: Array("1".utf8)))
        #expect(reader.end() == nil)
    }
}
