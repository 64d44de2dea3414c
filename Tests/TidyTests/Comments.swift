/// The same text, every character of a comment replaced by a space, so that lines keep their numbers.
///
/// Knows strings well enough not to take the `//` of an address for a comment; an interpolation that itself
/// holds a string with `//` in it would fool it.
func blankingComments(in text: String) -> String {
    var result: [UInt8] = []
    result.reserveCapacity(text.utf8.count)
    var state = State.code
    var bytes = Array(text.utf8)[...]
    while let byte = bytes.first {
        let width = state.advance(over: bytes)
        let blank = state.isComment || width.endsComment
        for consumed in bytes.prefix(width.count) {
            result.append(blank && consumed != newline ? space : consumed)
        }
        if byte == newline { state.endLine() }
        bytes = bytes.dropFirst(width.count)
    }
    return String(decoding: result, as: UTF8.self)
}

private let newline = UInt8(ascii: "\n")
private let space = UInt8(ascii: " ")

private enum State {
    case code
    case string
    case longString
    case lineComment
    case blockComment(depth: Int)

    var isComment: Bool {
        switch self {
        case .lineComment, .blockComment: true
        default: false
        }
    }

    /// Looks at what comes next and moves on: how many bytes belong together, and whether they close a comment.
    mutating func advance(over bytes: ArraySlice<UInt8>) -> (count: Int, endsComment: Bool) {
        switch self {
        case .code: return (advanceInCode(bytes), false)
        case .string, .longString: return (advanceInString(bytes), false)
        case .lineComment: return (1, false)
        case .blockComment(let depth):
            if bytes.starts(with: "/*".utf8) {
                self = .blockComment(depth: depth + 1)
                return (2, false)
            }
            guard bytes.starts(with: "*/".utf8) else { return (1, false) }
            self = depth > 1 ? .blockComment(depth: depth - 1) : .code
            return (2, true)
        }
    }

    mutating func endLine() {
        switch self {
        case .lineComment, .string: self = .code
        default: break
        }
    }

    private mutating func advanceInCode(_ bytes: ArraySlice<UInt8>) -> Int {
        if bytes.starts(with: "//".utf8) { return enter(.lineComment, 2) }
        if bytes.starts(with: "/*".utf8) { return enter(.blockComment(depth: 1), 2) }
        if bytes.starts(with: "\"\"\"".utf8) { return enter(.longString, 3) }
        if bytes.first == UInt8(ascii: "\"") { return enter(.string, 1) }
        return 1
    }

    private mutating func advanceInString(_ bytes: ArraySlice<UInt8>) -> Int {
        if bytes.first == UInt8(ascii: "\\") { return min(2, bytes.count) }
        if case .longString = self {
            return bytes.starts(with: "\"\"\"".utf8) ? enter(.code, 3) : 1
        }
        return bytes.first == UInt8(ascii: "\"") ? enter(.code, 1) : 1
    }

    private mutating func enter(_ state: State, _ count: Int) -> Int {
        self = state
        return count
    }
}
