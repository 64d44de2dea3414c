/// Builds the tape in one pass, without recursion: open containers wait on a stack of their own, so that hostile
/// nesting costs an error and not the thread's stack.
struct Parser {
    let bytes: [UInt8]
    let maxDepth: Int
    var position = 0
    var nodes: [Node] = []
    /// Tape indexes of the containers that are still open, outermost first.
    var open: [Int] = []
    /// Scratch for the check of duplicate keys, kept so that small objects cost no allocation.
    var keys: [Int] = []

    init(bytes: [UInt8], maxDepth: Int) {
        self.bytes = bytes
        self.maxDepth = maxDepth
        nodes.reserveCapacity(min(bytes.count / 8 + 8, 4096))
        open.reserveCapacity(16)
        keys.reserveCapacity(16)
    }

    mutating func parse() throws(JSONError) {
        try refuseWhatCannotStart()
        repeat {
            let isOpened = try value()
            if !isOpened { try afterValue() }
        } while !open.isEmpty
        skipWhiteSpace()
        if position < bytes.count {
            throw error(.trailingGarbage, "the JSON value has ended; \(found) must not follow it")
        }
    }

    private func refuseWhatCannotStart() throws(JSONError) {
        if bytes.count >= Int(UInt32.max) {
            throw error(.tooLarge, "a JSON document may have at most \(UInt32.max) bytes")
        }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            throw error(.syntax, "starts with a byte order mark; save it as UTF-8 without one")
        }
    }

    /// Reads a scalar, an empty container, or the beginning of one up to its first value: then true.
    private mutating func value() throws(JSONError) -> Bool {
        skipWhiteSpace()
        switch peek {
        case UInt8(ascii: "\""): try string()
        case UInt8(ascii: "{"): return try openContainer(.object, closedBy: UInt8(ascii: "}"))
        case UInt8(ascii: "["): return try openContainer(.array, closedBy: UInt8(ascii: "]"))
        case UInt8(ascii: "t"): try literal("true", .bool)
        case UInt8(ascii: "f"): try literal("false", .bool)
        case UInt8(ascii: "n"): try literal("null", .null)
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): try number()
        default: throw unexpectedValue()
        }
        return false
    }

    /// Closes what ends here, and goes up to the next value if one is due.
    private mutating func afterValue() throws(JSONError) {
        while let container = open.last {
            let isObject = nodes[container].kind == .object
            skipWhiteSpace()
            switch peek {
            case UInt8(ascii: ","):
                position += 1
                if isObject { try key(after: ",") }
                return
            case UInt8(ascii: "}") where isObject, UInt8(ascii: "]") where !isObject:
                try closeContainer()
            default:
                throw unexpected("a comma or “\(isObject ? "}" : "]")”")
            }
        }
    }

    private mutating func openContainer(_ kind: JSON.Kind, closedBy end: UInt8) throws(JSONError) -> Bool {
        guard open.count < maxDepth else {
            throw error(.tooDeep, "nested deeper than \(maxDepth) levels")
        }
        open.append(nodes.count)
        append(kind, from: position, to: position)
        position += 1
        skipWhiteSpace()
        if peek == end {
            try closeContainer()
            return false
        }
        if kind == .object { try key(after: "{") }
        return true
    }

    private mutating func closeContainer() throws(JSONError) {
        let container = open.removeLast()
        position += 1
        nodes[container].end = UInt32(truncatingIfNeeded: position)
        nodes[container].next = UInt32(truncatingIfNeeded: nodes.count)
        if nodes[container].kind == .object { try refuseDuplicateKeys(of: container) }
    }

    private mutating func key(after mark: Character) throws(JSONError) {
        skipWhiteSpace()
        guard peek == UInt8(ascii: "\"") else { throw unexpectedKey(after: mark) }
        try string()
        skipWhiteSpace()
        guard peek == UInt8(ascii: ":") else { throw unexpected("a colon after the key") }
        position += 1
    }

    private mutating func literal(_ word: String, _ kind: JSON.Kind) throws(JSONError) {
        var end = position
        for letter in word.utf8 {
            guard end < bytes.count, bytes[end] == letter else { throw unexpectedValue() }
            end += 1
        }
        append(kind, from: position, to: end)
        position = end
    }
}

extension Parser {
    /// The byte to read next; 0, which may be nowhere, at the end.
    var peek: UInt8 { position < bytes.count ? bytes[position] : 0 }

    mutating func append(_ kind: JSON.Kind, from start: Int, to end: Int, isEscaped: Bool = false) {
        nodes.append(
            Node(
                start: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: end),
                next: UInt32(truncatingIfNeeded: nodes.count + 1), kind: kind, isEscaped: isEscaped))
    }

    mutating func skipWhiteSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): position += 1
            default: return
            }
        }
    }
}
