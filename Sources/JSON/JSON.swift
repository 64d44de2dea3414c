/// One value of a parsed document.
///
/// It is a view: it shares the document's bytes and tape with every other value of it, and keeps them alive.
/// Nothing is decoded until asked for, so each accessor pays for its own answer; hold on to what is used twice.
package struct JSON: Sendable {
    let document: Document
    /// Where the value's node is on the tape.
    let index: Int

    /// The six kinds of RFC 8259, with true and false as one.
    package enum Kind: Sendable { case null, bool, number, string, array, object }

    /// The deepest nesting a caller may allow: some work on values is recursive and must fit a thread's stack.
    package static let deepest = 1_000

    /// Reads exactly one value with nothing but white space around it.
    ///
    /// Strict: refuses invalid UTF-8, a byte order mark, escapes of lone surrogates, duplicate keys (also those
    /// that differ only in their escaping), and nesting beyond `maxDepth`, which is at most `deepest`.
    package static func parse(_ bytes: [UInt8], maxDepth: Int = 128) throws(JSONError) -> JSON {
        JSON(document: try Document(parsing: bytes, maxDepth: min(maxDepth, deepest)), index: 0)
    }

    /// Reads the UTF-8 form of a text.
    package static func parse(_ text: String) throws(JSONError) -> JSON {
        try parse(Array(text.utf8))
    }

    var node: Node { document.nodes[index] }
}

extension JSON {
    package var kind: Kind { node.kind }

    package var isNull: Bool { node.kind == .null }

    package var bool: Bool? {
        node.kind == .bool ? document.bytes[node.first] == UInt8(ascii: "t") : nil
    }

    /// The text with its escapes resolved.
    package var string: String? {
        node.kind == .string ? document.text(at: index) : nil
    }

    /// How many bytes of UTF-8 the text has; it costs nothing if there are no escapes.
    package var stringBytes: Int? {
        guard node.kind == .string else { return nil }
        return node.isEscaped ? unescaped(document.bytes[node.content]).count : node.content.count
    }

    /// The value's exact bytes in the source, without white space around them.
    package var raw: ArraySlice<UInt8> { document.bytes[node.range] }

    /// The members in the order of the source.
    package var members: [(key: String, value: JSON)]? {
        guard node.kind == .object else { return nil }
        var members: [(key: String, value: JSON)] = []
        members.reserveCapacity(count)
        for key in document.keys(of: index) {
            members.append((document.text(at: key), JSON(document: document, index: key + 1)))
        }
        return members
    }

    package var elements: [JSON]? {
        guard node.kind == .array else { return nil }
        var elements: [JSON] = []
        elements.reserveCapacity(count)
        for element in document.elements(of: index) {
            elements.append(JSON(document: document, index: element))
        }
        return elements
    }

    /// How many elements or members there are, 0 for anything but an array or an object; counted each time.
    package var count: Int {
        switch node.kind {
        case .object: document.keys(of: index).reduce(0) { count, _ in count + 1 }
        case .array: document.elements(of: index).reduce(0) { count, _ in count + 1 }
        default: 0
        }
    }

    /// The object's member, nil when absent or if this is no object; found by looking at every key before it.
    package subscript(_ key: String) -> JSON? {
        guard node.kind == .object, let found = document.key(key, of: index) else { return nil }
        return JSON(document: document, index: found + 1)
    }

    /// The array's element, nil when out of bounds or if this is no array; found by passing all before it.
    package subscript(_ position: Int) -> JSON? {
        guard node.kind == .array, position >= 0 else { return nil }
        return document.elements(of: index).dropFirst(position).first { _ in true }
            .map { JSON(document: document, index: $0) }
    }
}
