extension Parser {
    func error(_ code: JSONError.Code, at offset: Int? = nil, _ text: String) -> JSONError {
        JSONError(code, at: offset ?? position, in: bytes, text)
    }

    func unexpected(_ expected: String, hint: String = "") -> JSONError {
        error(
            position < bytes.count ? .syntax : .unexpectedEnd, "expected \(expected), found \(found)\(hint)")
    }

    func unexpectedValue() -> JSONError {
        switch peek {
        case UInt8(ascii: "'"): unexpected("a value", hint: "; strings stand in double quotes")
        case UInt8(ascii: "]"), UInt8(ascii: "}"):
            unexpected("a value", hint: "; JSON allows no comma after the last value")
        case UInt8(ascii: "/"), UInt8(ascii: "#"): unexpected("a value", hint: "; JSON has no comments")
        case UInt8(ascii: "+"), UInt8(ascii: "."):
            unexpected("a value", hint: "; a number starts with a digit or a minus sign")
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
            unexpected("a value", hint: "; the only words are true, false and null")
        default: unexpected("a value")
        }
    }

    func unexpectedKey(after mark: Character) -> JSONError {
        if mark == ",", peek == UInt8(ascii: "}") {
            return unexpected("a key", hint: "; JSON allows no comma after the last member")
        }
        return unexpected("a key in double quotes")
    }

    /// Names what is at the position: the end, a printable character, or a byte by its number.
    var found: String {
        guard position < bytes.count else { return "the end of the text" }
        let byte = bytes[position]
        if (0x21...0x7E).contains(byte) { return "“\(Character(UnicodeScalar(byte)))”" }
        if let length = utf8Length(at: position) {
            return "“\(String(decoding: bytes[position..<position + length], as: UTF8.self))”"
        }
        return "the byte 0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
}
