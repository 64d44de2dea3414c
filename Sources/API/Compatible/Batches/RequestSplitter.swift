import JSON

/// Cuts the body of a batch, `{"requests":[…]}`, into its requests as it arrives; holds one of them at a time.
///
/// It looks for quotes, brackets and commas alone: what is between them is read as JSON by its recipient.
struct RequestSplitter {
    private enum Position {
        /// Before `{`, the key, `:` and `[`, in this order.
        case opening(Int)
        case element
        /// After `]`: `}`, and then white space.
        case closing(Int)
    }

    /// A request may not be larger.
    let limit: Int
    /// Bytes of a request whose end has not come.
    var held: Int { element.count }
    private var position = Position.opening(0)
    private var element: [UInt8] = []
    private var depth = 0
    private var isQuoted = false
    private var isEscaped = false
    private var sawComma = false
    private(set) var count = 0
    private static let opening = [
        Array("{".utf8), Array("\"requests\"".utf8), Array(":".utf8), Array("[".utf8),
    ]
    private var matched = 0

    init(limit: Int) {
        self.limit = limit
    }

    /// Hands over the requests that these bytes complete.
    mutating func append(_ bytes: [UInt8]) throws(Problem) -> [[UInt8]] {
        var requests: [[UInt8]] = []
        var index = 0
        while index < bytes.count {
            if case .element = position {
                index = try takeElement(bytes, from: index, &requests)
            } else {
                try take(bytes[index])
                index += 1
            }
        }
        return requests
    }

    /// Throws if the body is not whole.
    func finish() throws(Problem) {
        guard case .closing(1) = position else {
            throw Self.malformed("the body ends before its closing brace")
        }
    }

    private mutating func take(_ byte: UInt8) throws(Problem) {
        if matched == 0, Self.isSpace(byte) { return }
        switch position {
        case .opening(let step):
            guard byte == Self.opening[step][matched] else {
                throw Self.malformed("a batch is an object with “requests” alone, an array")
            }
            matched += 1
            guard matched == Self.opening[step].count else { return }
            matched = 0
            position = step + 1 < Self.opening.count ? .opening(step + 1) : .element
        case .closing(0) where byte == UInt8(ascii: "}"): position = .closing(1)
        case .closing, .element: throw Self.malformed("something follows the requests")
        }
    }

    /// Goes through as much of a request as there is; returns where to go on.
    private mutating func takeElement(
        _ bytes: [UInt8], from start: Int, _ requests: inout [[UInt8]]
    ) throws(Problem) -> Int {
        var index = start
        while index < bytes.count {
            let byte = bytes[index]
            if isQuoted {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte
                    == UInt8(ascii: "\"")
                {
                    isQuoted = false
                }
            } else {
                switch byte {
                case UInt8(ascii: "\""): isQuoted = true
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}") where depth > 0, UInt8(ascii: "]") where depth > 0: depth -= 1
                case UInt8(ascii: ",") where depth == 0, UInt8(ascii: "]"):
                    try extend(by: bytes[start..<index])
                    try endElement(isLast: byte == UInt8(ascii: "]"), &requests)
                    return index + 1
                default: break
                }
            }
            index += 1
        }
        try extend(by: bytes[start...])
        return index
    }

    private mutating func extend(by bytes: ArraySlice<UInt8>) throws(Problem) {
        element += bytes
        guard element.count <= limit else {
            throw Problem(.bodyTooLarge, "a request of a batch has more than \(limit) bytes", limit: limit)
        }
    }

    private mutating func endElement(isLast: Bool, _ requests: inout [[UInt8]]) throws(Problem) {
        let isBlank = element.allSatisfy(Self.isSpace)
        if isLast { position = .closing(0) }
        guard !isBlank else {
            guard isLast, !sawComma else { throw Self.malformed("a request is missing between two commas") }
            return
        }
        requests.append(element)
        element = []
        sawComma = !isLast
        count += 1
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
            || byte == UInt8(ascii: "\t")
    }

    private static func malformed(_ detail: String) -> Problem {
        Problem(.invalidJSON, "the body is no batch: \(detail)")
    }
}
