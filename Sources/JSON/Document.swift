/// One entry of the tape: a value, or a member's key, which is right before its value.
///
/// 16 bytes. 32-bit offsets suffice because the parser refuses anything larger.
struct Node {
    var start: UInt32
    /// Just past the value's last byte.
    var end: UInt32
    /// The tape index just past this value and all it holds.
    var next: UInt32
    var kind: JSON.Kind
    /// Whether a string holds escapes; without any, its bytes are its text.
    var isEscaped = false

    var first: Int { Int(start) }
    var range: Range<Int> { Int(start)..<Int(end) }
    /// What is between a string's quotes.
    var content: Range<Int> { Int(start) + 1..<Int(end) - 1 }
}

/// The bytes of a document and the tape that indexes them: all nodes in source order, children after parents.
final class Document: Sendable {
    let bytes: [UInt8]
    let nodes: [Node]

    init(parsing bytes: [UInt8], maxDepth: Int) throws(JSONError) {
        var parser = Parser(bytes: bytes, maxDepth: maxDepth)
        try parser.parse()
        self.bytes = bytes
        nodes = parser.nodes
    }

    /// Tape indexes of an object's keys; each value is at the index after.
    func keys(of object: Int) -> Children {
        Children(nodes: nodes, at: object + 1, end: Int(nodes[object].next), step: 1)
    }

    /// Tape indexes of an array's elements.
    func elements(of array: Int) -> Children {
        Children(nodes: nodes, at: array + 1, end: Int(nodes[array].next), step: 0)
    }

    /// Tape indexes of one container's keys or elements.
    struct Children: Sequence, IteratorProtocol {
        let nodes: [Node]
        var at: Int
        let end: Int
        /// From a child to the node that says where the next one is: a key's value.
        let step: Int

        mutating func next() -> Int? {
            guard at < end else { return nil }
            defer { at = Int(nodes[at + step].next) }
            return at
        }
    }

    func text(at string: Int) -> String {
        let node = nodes[string]
        if node.isEscaped { return String(decoding: unescaped(bytes[node.content]), as: UTF8.self) }
        return String(decoding: bytes[node.content], as: UTF8.self)
    }

    /// The tape index of an object's key, compared byte by byte: only escaped keys are decoded for it.
    func key(_ wanted: String, of object: Int) -> Int? {
        let utf8 = wanted.utf8.span
        let end = Int(nodes[object].next)
        var at = object + 1
        while at < end {
            if matches(nodes[at], utf8) { return at }
            at = Int(nodes[at + 1].next)
        }
        return nil
    }

    private func matches(_ key: Node, _ utf8: Span<UInt8>) -> Bool {
        if key.isEscaped { return unescaped(bytes[key.content]).span.isEqual(to: utf8) }
        let source = bytes
        return source.span.extracting(key.content).isEqual(to: utf8)
    }
}

extension Span<UInt8> {
    func isEqual(to other: borrowing Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices where self[index] != other[index] { return false }
        return true
    }
}
