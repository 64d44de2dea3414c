/// Builds compact JSON by appending; it sets the commas, the caller gives keys and values in turn.
package struct JSONWriter: Sendable {
    package private(set) var bytes: [UInt8] = []
    private var needsComma = false

    package init() {}

    /// The body gives keys and values in turn.
    package mutating func object(_ body: (inout JSONWriter) throws -> Void) rethrows {
        try nested(UInt8(ascii: "{"), UInt8(ascii: "}"), body)
    }

    /// The body gives the elements.
    package mutating func array(_ body: (inout JSONWriter) throws -> Void) rethrows {
        try nested(UInt8(ascii: "["), UInt8(ascii: "]"), body)
    }

    /// Must be followed by one value; whether the key was used before is not checked.
    package mutating func key(_ name: String) {
        separate()
        bytes.appendQuoted(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// Escapes no more than JSON demands: quotes, backslashes and control characters.
    package mutating func string(_ value: String) {
        separate()
        bytes.appendQuoted(value)
    }

    /// Writes all digits; readers in JavaScript lose those beyond 2^53.
    package mutating func int(_ value: Int64) {
        separate()
        bytes.append(contentsOf: String(value).utf8)
    }

    /// The same for the size of integer that Swift prefers.
    package mutating func int(_ value: Int) { int(Int64(value)) }

    /// Whole numbers are written without a fraction, and what JSON cannot say (infinity, not a number) as null.
    package mutating func double(_ value: Double) {
        guard value.isFinite else { return null() }
        if value.magnitude < 0x1p53, Double(Int64(value)) == value { return int(Int64(value)) }
        separate()
        bytes.append(contentsOf: value.description.utf8)
    }

    /// Writes `true` or `false`.
    package mutating func bool(_ value: Bool) { raw((value ? "true" : "false").utf8) }

    /// Writes `null`.
    package mutating func null() { raw("null".utf8) }

    /// Appends a value that is JSON already, unchecked.
    package mutating func raw(_ value: some Sequence<UInt8>) {
        separate()
        bytes.append(contentsOf: value)
    }

    /// Ends a line of NDJSON; the next value is alone again.
    package mutating func newline() {
        bytes.append(UInt8(ascii: "\n"))
        needsComma = false
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func nested(
        _ start: UInt8, _ end: UInt8, _ body: (inout JSONWriter) throws -> Void
    ) rethrows {
        separate()
        bytes.append(start)
        needsComma = false
        try body(&self)
        bytes.append(end)
        needsComma = true
    }
}

extension JSONWriter {
    /// A key with its text; nil is written as null.
    package mutating func field(_ name: String, _ value: String?) {
        key(name)
        if let value { string(value) } else { null() }
    }

    /// A key with its number; nil is written as null.
    package mutating func field(_ name: String, _ value: Int?) {
        field(name, value.map(Int64.init))
    }

    /// A key with its number; nil is written as null.
    package mutating func field(_ name: String, _ value: Int64?) {
        key(name)
        if let value { int(value) } else { null() }
    }

    /// A key with its number; nil, infinity and what is not a number are written as null.
    package mutating func field(_ name: String, _ value: Double?) {
        key(name)
        if let value { double(value) } else { null() }
    }

    /// A key with its truth; nil is written as null.
    package mutating func field(_ name: String, _ value: Bool?) {
        key(name)
        if let value { bool(value) } else { null() }
    }

    /// A key with what is JSON already, unchecked; nil is written as null.
    package mutating func field(_ name: String, raw value: (some Sequence<UInt8>)?) {
        key(name)
        if let value { raw(value) } else { null() }
    }
}
