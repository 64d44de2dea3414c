extension Parser {
    /// Reads a string whose opening quote is next.
    mutating func string() throws(JSONError) {
        let (end, isEscaped) = try endOfString()
        append(.string, from: position, to: end, isEscaped: isEscaped)
        position = end
    }

    private func endOfString() throws(JSONError) -> (end: Int, isEscaped: Bool) {
        let text = bytes.span
        var at = position + 1
        var isEscaped = false
        while at < text.count {
            let byte = text[at]
            if byte == UInt8(ascii: "\"") { return (at + 1, isEscaped) }
            if byte == UInt8(ascii: "\\") {
                isEscaped = true
                at = try endOfEscape(at)
            } else if byte >= 0x80 {
                guard let length = utf8Length(at: at) else {
                    throw error(.invalidUTF8, at: at, "this is not valid UTF-8")
                }
                at += length
            } else if byte < 0x20 {
                throw rawControl(at)
            } else {
                at += 1
            }
        }
        throw error(.unexpectedEnd, "the string that starts here is never closed")
    }

    private func rawControl(_ at: Int) -> JSONError {
        switch bytes[at] {
        case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
            error(
                .invalidString, at: at,
                "a line break inside a string must be written \\n (or a quote is missing)")
        case UInt8(ascii: "\t"): error(.invalidString, at: at, "a tab inside a string must be written \\t")
        default:
            error(.invalidString, at: at, "the control byte \(bytes[at]) inside a string must be escaped")
        }
    }

    /// Checks one escape, or a surrogate pair of two, and returns what follows it.
    private func endOfEscape(_ at: Int) throws(JSONError) -> Int {
        switch at + 1 < bytes.count ? bytes[at + 1] : 0 {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return at + 2
        case UInt8(ascii: "u"):
            return try endOfUnicodeEscape(at)
        default:
            throw error(
                .invalidString, at: at,
                "a backslash must start one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX")
        }
    }

    private func endOfUnicodeEscape(_ at: Int) throws(JSONError) -> Int {
        guard let unit = hexadecimal(bytes[...], at: at + 2) else {
            throw error(.invalidString, at: at, "\\u must be followed by four hexadecimal digits")
        }
        guard (0xD800...0xDFFF).contains(unit) else { return at + 6 }
        guard unit < 0xDC00, bytes[(at + 6)...].starts(with: "\\u".utf8),
            let low = hexadecimal(bytes[...], at: at + 8), (0xDC00...0xDFFF).contains(low)
        else {
            throw error(
                .invalidString, at: at, "this \\u escape is half of a surrogate pair without the other half")
        }
        return at + 12
    }

    /// The length of the well-formed multi-byte sequence here, by table 3-7 of the Unicode standard.
    ///
    /// It leaves out overlong forms, surrogates and anything above U+10FFFF. Nil also for ASCII.
    func utf8Length(at start: Int) -> Int? {
        let (length, second): (Int, ClosedRange<UInt8>) =
            switch bytes[start] {
            case 0xC2...0xDF: (2, 0x80...0xBF)
            case 0xE0: (3, 0xA0...0xBF)
            case 0xE1...0xEC, 0xEE...0xEF: (3, 0x80...0xBF)
            case 0xED: (3, 0x80...0x9F)
            case 0xF0: (4, 0x90...0xBF)
            case 0xF1...0xF3: (4, 0x80...0xBF)
            case 0xF4: (4, 0x80...0x8F)
            default: (0, 0x80...0xBF)
            }
        guard length > 0, start + length <= bytes.count, second.contains(bytes[start + 1]) else { return nil }
        if length > 2, bytes[start + 2] & 0xC0 != 0x80 { return nil }
        if length > 3, bytes[start + 3] & 0xC0 != 0x80 { return nil }
        return length
    }
}
