extension JSON {
    /// This object's bytes with one member set to `raw` (which must be JSON) and everything else byte for byte.
    ///
    /// A member that is not there yet is added after the last. Calling it on anything but an object is a
    /// programmer's error.
    package func replacing(_ key: String, with raw: [UInt8]) -> [UInt8] {
        precondition(kind == .object, "only an object has members to replace")
        if let present = self[key] {
            return source(before: present.node.first, raw, after: present.node.range.upperBound)
        }
        let isEmpty = node.next == index + 1
        var member: [UInt8] = isEmpty ? [] : [UInt8(ascii: ",")]
        member.appendQuoted(key)
        member.append(UInt8(ascii: ":"))
        let end = isEmpty ? node.first + 1 : endOfLastMember
        return source(before: end, member + raw, after: end)
    }

    /// Where the last member's value ends: white space may follow before the brace.
    private var endOfLastMember: Int {
        document.keys(of: index).reduce(node.first + 1) { _, key in document.nodes[key + 1].range.upperBound }
    }

    private func source(before start: Int, _ middle: [UInt8], after end: Int) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(raw.count + middle.count)
        result.append(contentsOf: document.bytes[node.first..<start])
        result.append(contentsOf: middle)
        result.append(contentsOf: document.bytes[end..<node.range.upperBound])
        return result
    }
}
