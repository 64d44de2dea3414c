extension Parser {
    /// Below this many keys comparing all pairs is cheaper than sorting hashes.
    private static let fewKeys = 16

    mutating func refuseDuplicateKeys(of object: Int) throws(JSONError) {
        keys.removeAll(keepingCapacity: true)
        var at = object + 1
        while at < nodes.count {
            keys.append(at)
            at = Int(nodes[at + 1].next)
        }
        guard let twin = keys.count <= Self.fewKeys ? twinAmongFew() : twinAmongMany() else { return }
        let key = nodes[twin]
        let name = String(decoding: text(of: key), as: UTF8.self)
        throw error(.duplicateKey, at: key.first, "the key “\(name)” appears twice in this object")
    }

    private func twinAmongFew() -> Int? {
        for later in keys.indices.dropFirst() {
            for earlier in 0..<later where isSame(nodes[keys[earlier]], nodes[keys[later]]) {
                return keys[later]
            }
        }
        return nil
    }

    /// Sorts by hash, then by text: a caller who provokes collisions of this plain hash gains nothing.
    private func twinAmongMany() -> Int? {
        var entries = keys.map { (hash: hash(of: nodes[$0]), key: $0) }
        entries.sort { left, right in
            if left.hash != right.hash { return left.hash < right.hash }
            let (a, b) = (text(of: nodes[left.key]), text(of: nodes[right.key]))
            return a == b ? left.key < right.key : a.lexicographicallyPrecedes(b)
        }
        for (left, right) in zip(entries, entries.dropFirst())
        where left.hash == right.hash && isSame(nodes[left.key], nodes[right.key]) {
            return right.key
        }
        return nil
    }

    private func isSame(_ left: Node, _ right: Node) -> Bool {
        if left.isEscaped || right.isEscaped { return text(of: left) == text(of: right) }
        let all = bytes.span
        return all.extracting(left.content).isEqual(to: all.extracting(right.content))
    }

    private func hash(of key: Node) -> UInt64 {
        var hash: UInt64 = 0
        for byte in text(of: key) {
            let product = (hash ^ UInt64(byte)).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
            hash = product.high ^ product.low
        }
        return hash
    }

    private func text(of key: Node) -> ArraySlice<UInt8> {
        key.isEscaped ? unescaped(bytes[key.content])[...] : bytes[key.content]
    }
}
