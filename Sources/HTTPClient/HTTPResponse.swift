/// A whole answer, of whatever status: an error status is an answer, not an error.
package struct HTTPResponse: Sendable {
    package let status: Int
    package let headers: HTTPHeaders
    /// Decompressed, though `content-encoding` still names what was undone.
    package let body: [UInt8]

    package init(status: Int, headers: HTTPHeaders, body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// The header fields of an answer in the order they came, found without regard to case.
package struct HTTPHeaders: Sendable {
    package private(set) var fields: [(name: String, value: String)]

    package init(_ fields: [(name: String, value: String)] = []) {
        self.fields = fields
    }

    /// The first value given for a name.
    package subscript(_ name: String) -> String? {
        fields.first { isSameName($0.name, name) }?.value
    }

    /// Every value given for a name, in order; a comma inside a value is not split.
    package func all(_ name: String) -> [String] {
        fields.filter { isSameName($0.name, name) }.map(\.value)
    }

    mutating func add(_ name: String, _ value: String) {
        fields.append((name, value))
    }

    /// Folds an obsolete continuation line (RFC 9112 §5.2) into the value before it.
    mutating func extendLast(with more: String) {
        guard let last = fields.indices.last else { return }
        fields[last].value += " " + more
    }
}

struct ResponseHead: Sendable {
    var status: Int
    var headers = HTTPHeaders()
}

private func isSameName(_ one: String, _ other: String) -> Bool {
    let (one, other) = (one.utf8, other.utf8)
    return one.count == other.count && zip(one, other).allSatisfy { lowercase($0) == lowercase($1) }
}

private func lowercase(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
}
