import JSON

/// Lines that go to the server in one request.
struct Chunk: Sendable {
    /// So that there is progress to see, and little to repeat after a lost connection.
    static let mostLines = 5000
    static let mostBytes = 16 << 20

    private(set) var body: [UInt8] = []
    /// The line number of each in the input.
    private(set) var lineNumbers: [Int] = []
    /// What distinguishes the prompts.
    private(set) var shapes: [UInt64] = []
    /// Where each of them begins in the body.
    private var starts: [Int] = []

    var isFull: Bool { lineNumbers.count >= Self.mostLines || body.count >= Self.mostBytes }
    var isEmpty: Bool { lineNumbers.isEmpty }

    mutating func append(_ job: [UInt8], shape: UInt64, line: Int) {
        starts.append(body.count)
        body += job
        body.append(UInt8(ascii: "\n"))
        lineNumbers.append(line)
        shapes.append(shape)
    }

    /// One of its lines as it was sent.
    func line(_ index: Int) -> ArraySlice<UInt8> {
        body[starts[index]..<(index + 1 < starts.count ? starts[index + 1] : body.count)]
    }

    /// The server's answer, a line each; throws if it is not one a line.
    func answers(_ bytes: [UInt8]) throws -> [JSON] {
        let lines = bytes.split(separator: UInt8(ascii: "\n"))
        guard lines.count == lineNumbers.count else {
            throw Failure(
                "the server answered \(lines.count) of \(lineNumbers.count) lines: check RENGA_URL")
        }
        return try lines.map { try JSON.parse(Array($0)) }
    }
}
