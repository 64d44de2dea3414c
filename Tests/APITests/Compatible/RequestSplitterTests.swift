import Testing

@testable import API

@Suite struct RequestSplitterTests {
    private func split(_ text: String, pieces: Int, limit: Int = 1000) throws -> [String] {
        var splitter = RequestSplitter(limit: limit)
        var requests: [[UInt8]] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            requests += try splitter.append(Array(bytes[start..<min(start + pieces, bytes.count)]))
        }
        try splitter.finish()
        return requests.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(arguments: 1...12)
    func `requests are cut out wherever the pieces are cut`(_ pieces: Int) throws {
        let first = #"{"custom_id":"a","params":{"x":[1,{"y":"],}\""}]}}"#
        let second = #"{"custom_id":"ü\\","params":{}}"#
        let text = " { \"requests\" :\n[ \(first) ,\(second)\n] } \n"
        #expect(
            try split(text, pieces: pieces)
                == [first + " ", second + "\n"].enumerated().map { $0 == 0 ? " " + $1 : $1 })
    }

    @Test func `an empty list has none`() throws {
        #expect(try split(#"{"requests":[ ]}"#, pieces: 5) == [])
    }

    @Test(arguments: [
        "", "{", #"{"requests":[{}"#, #"{"requests":[{}]"#, #"{"requests":[{},]}"#, #"{"requests":[,{}]}"#,
        #"{"requests":{}}"#, #"{"other":[]}"#, #"{"requests":[]}x"#, #"{"requests":[]},"#, "[]",
        #"{"requests":[],"more":1}"#, #"{"requests":[{},,{}]}"#,
    ])
    func `everything else is refused`(_ text: String) {
        #expect(throws: Problem.self) { try split(text, pieces: 3) }
    }

    @Test(arguments: [1, 7, 1000])
    func `a request may have as many bytes as the limit says, wherever the pieces are cut`(_ pieces: Int)
        throws
    {
        let text = #"{"requests":[{"a":"12345"}]}"#
        #expect(try split(text, pieces: pieces, limit: 13) == [#"{"a":"12345"}"#])
        #expect { try split(text, pieces: pieces, limit: 12) } throws: {
            ($0 as? Problem)?.kind == .bodyTooLarge
        }
    }

    @Test func `a request that is too large is refused before it is whole`() {
        let text = #"{"requests":[{"a":""# + String(repeating: "x", count: 5000)
        #expect { try split(text, pieces: 100) } throws: { ($0 as? Problem)?.kind == .bodyTooLarge }
    }
}
