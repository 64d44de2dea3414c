/// Reads a one-dimensional array in PostgreSQL's binary format, and believes none of its numbers.
struct ArrayReader<V: BinaryValue> {
    private var rest: UnsafeRawBufferPointer.SubSequence

    init(_ bytes: UnsafeRawBufferPointer) {
        rest = bytes[...]
    }

    /// Nil if the bytes are not such an array's.
    mutating func elements() -> [V?]? {
        guard let dimensions = number(), number() != nil, let type = number() else { return nil }
        guard type == Int32(bitPattern: V.type.rawValue) else { return nil }
        if dimensions == 0 { return rest.isEmpty ? [] : nil }
        // Each element takes its length at least, so that a false count reserves nothing.
        guard dimensions == 1, let count = number(), number() != nil, count >= 0, Int(count) <= rest.count / 4
        else { return nil }
        var elements: [V?] = []
        elements.reserveCapacity(Int(count))
        for _ in 0..<count {
            guard let element = element() else { return nil }
            elements.append(element)
        }
        return rest.isEmpty ? elements : nil
    }

    private mutating func element() -> V?? {
        guard let length = number() else { return nil }
        if length == -1 { return .some(nil) }
        guard length >= 0, Int(length) <= rest.count else { return nil }
        let bytes = UnsafeRawBufferPointer(rebasing: rest.prefix(Int(length)))
        rest = rest.dropFirst(Int(length))
        return V(binary: bytes).map { .some($0) }
    }

    private mutating func number() -> Int32? {
        guard rest.count >= 4 else { return nil }
        let bytes = UnsafeRawBufferPointer(rebasing: rest.prefix(4))
        rest = rest.dropFirst(4)
        return Int32(bigEndian: bytes.loadUnaligned(as: Int32.self))
    }
}
