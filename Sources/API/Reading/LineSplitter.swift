/// Cuts an upload into lines as it arrives; never holds more than one line beyond what it was given.
struct LineSplitter {
    enum Line: Equatable {
        case text([UInt8])
        /// Longer than the limit; its bytes were dropped.
        case tooLong
    }

    let limit: Int
    /// Bytes of a line whose end has not come.
    var held: Int { partial.count }
    private var partial: [UInt8] = []
    private var isDropping = false
    private var isAtStart = true

    init(limit: Int) {
        self.limit = limit
    }

    /// Hands over the lines that these bytes complete, blank ones left out.
    mutating func append(_ bytes: [UInt8]) -> [Line] {
        var lines: [Line] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            take(rest[..<end])
            endLine(into: &lines)
            rest = rest[(end + 1)...]
        }
        take(rest)
        return lines
    }

    /// The last line, if no line feed ended it.
    mutating func finish() -> [Line] {
        var lines: [Line] = []
        endLine(into: &lines)
        return lines
    }

    private mutating func take(_ bytes: ArraySlice<UInt8>) {
        guard !isDropping else { return }
        guard partial.count + bytes.count <= limit else {
            isDropping = true
            partial = []
            return
        }
        partial.append(contentsOf: bytes)
    }

    private mutating func endLine(into lines: inout [Line]) {
        if isAtStart, partial.starts(with: [0xEF, 0xBB, 0xBF]) {
            // Editors on Windows put a byte order mark before the first line.
            partial.removeFirst(3)
        }
        if isDropping {
            lines.append(.tooLong)
        } else if !partial.allSatisfy(Self.isBlank), partial != Self.endOfFile {
            lines.append(.text(partial))
        }
        isAtStart = false
        isDropping = false
        partial = []
    }

    /// What programs of DOS's time put behind the last line.
    private static let endOfFile: [UInt8] = [0x1A]

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
    }
}
