extension Parser {
    /// Reads a number by the grammar of RFC 8259 §6; its value does not matter here.
    mutating func number() throws(JSONError) {
        var at = position
        if bytes[at] == UInt8(ascii: "-") { at += 1 }
        at = try endOfInteger(at)
        if byte(at) == UInt8(ascii: ".") {
            at = try endOfDigits(at + 1, "a digit must follow the decimal point")
        }
        if byte(at) | 0x20 == UInt8(ascii: "e") {
            at += 1
            if byte(at) == UInt8(ascii: "+") || byte(at) == UInt8(ascii: "-") { at += 1 }
            at = try endOfDigits(at, "an exponent needs a digit")
        }
        append(.number, from: position, to: at)
        position = at
    }

    private func endOfInteger(_ at: Int) throws(JSONError) -> Int {
        guard byte(at) == UInt8(ascii: "0") else {
            return try endOfDigits(at, "a digit must follow the minus sign")
        }
        guard !isDigit(byte(at + 1)) else {
            throw error(.invalidNumber, "a number may not start with a needless 0")
        }
        return at + 1
    }

    private func endOfDigits(_ start: Int, _ reason: String) throws(JSONError) -> Int {
        guard isDigit(byte(start)) else { throw error(.invalidNumber, at: start, reason) }
        var at = start + 1
        while isDigit(byte(at)) { at += 1 }
        return at
    }

    private func byte(_ at: Int) -> UInt8 { at < bytes.count ? bytes[at] : 0 }

    private func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") <= 9 }
}
