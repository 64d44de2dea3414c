/// Resolves the escapes between a string's quotes; the parser has checked them.
func unescaped(_ content: ArraySlice<UInt8>) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(content.count)
    var at = content.startIndex
    while at < content.endIndex {
        guard content[at] == UInt8(ascii: "\\") else {
            text.append(content[at])
            at += 1
            continue
        }
        switch content[at + 1] {
        case UInt8(ascii: "u"):
            at = appendScalar(of: content, at: at, to: &text)
            continue
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "r"): text.append(0x0D)
        default: text.append(content[at + 1])
        }
        at += 2
    }
    return text
}

/// Resolves one `\uXXXX`, or a surrogate pair of two, and returns what follows it.
private func appendScalar(of content: ArraySlice<UInt8>, at start: Int, to text: inout [UInt8]) -> Int {
    var end = start + 6
    var value = hexadecimal(content, at: start + 2) ?? 0xFFFD
    if (0xD800...0xDBFF).contains(value), let low = hexadecimal(content, at: start + 8) {
        value = 0x10000 + (value - 0xD800) << 10 + (low &- 0xDC00)
        end += 6
    }
    let scalar = UnicodeScalar(value) ?? "\u{FFFD}"
    text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    return end
}

/// Four hexadecimal digits of either case, nil if they are not.
func hexadecimal(_ bytes: ArraySlice<UInt8>, at start: Int) -> UInt32? {
    guard start + 4 <= bytes.endIndex else { return nil }
    var value: UInt32 = 0
    for byte in bytes[start..<start + 4] {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt32(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt32(byte - UInt8(ascii: "A") + 10)
        default: return nil
        }
    }
    return value
}

extension [UInt8] {
    /// Appends a string with its quotes in the one escaping of RFC 8785 §3.2.2.2: no more than JSON demands.
    mutating func appendQuoted(_ text: String) {
        append(UInt8(ascii: "\""))
        let utf8 = text.utf8.span
        // Long texts mostly go through whole, which is many times faster than byte by byte.
        if utf8.count > Self.shortText, !utf8.indices.contains(where: { mustBeEscaped(utf8[$0]) }) {
            append(contentsOf: text.utf8)
        } else {
            reserve(utf8.count + 2)
            appendEscaped(utf8)
        }
        append(UInt8(ascii: "\""))
    }

    /// The same for a text in UTF-8.
    mutating func appendQuoted(utf8 text: [UInt8]) {
        append(UInt8(ascii: "\""))
        appendEscaped(text.span)
        append(UInt8(ascii: "\""))
    }

    private static let shortText = 64

    /// Room for more, in steps that grow with what is there.
    private mutating func reserve(_ more: Int) {
        if capacity - count < more { reserveCapacity(Swift.max(count + more, 2 * capacity)) }
    }

    private mutating func appendEscaped(_ text: Span<UInt8>) {
        for index in text.indices { appendEscaped(text[index]) }
    }

    private mutating func appendEscaped(_ byte: UInt8) {
        guard mustBeEscaped(byte) else { return append(byte) }
        guard byte < 0x20 else {
            append(UInt8(ascii: "\\"))
            return append(byte)
        }
        appendEscapedControl(byte)
    }

    private mutating func appendEscapedControl(_ byte: UInt8) {
        switch byte {
        case 0x08: append(contentsOf: "\\b".utf8)
        case 0x09: append(contentsOf: "\\t".utf8)
        case 0x0A: append(contentsOf: "\\n".utf8)
        case 0x0C: append(contentsOf: "\\f".utf8)
        case 0x0D: append(contentsOf: "\\r".utf8)
        default:
            append(contentsOf: byte < 16 ? "\\u000".utf8 : "\\u00".utf8)
            append(contentsOf: String(byte, radix: 16).utf8)
        }
    }
}

private func mustBeEscaped(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
}
