/// Values that are read for all keys that are expected at once, when the first of them is asked for.
struct Gathered<Key: Hashable, Value> {
    private var expected: Set<Key> = []
    private var known: [Key: Value?] = [:]

    /// Reads them too, when one is read.
    mutating func expect(_ keys: some Sequence<Key>) {
        for key in keys where known[key] == nil { expected.insert(key) }
    }

    /// Nil if there is none.
    mutating func value(of key: Key, _ read: ([Key]) throws -> [Key: Value]) rethrows -> Value? {
        if let found = known[key] { return found }
        expected.insert(key)
        let keys = takeExpected()
        know(keys, try read(keys))
        return known[key] ?? nil
    }

    /// For who reads them together with something else.
    mutating func takeExpected() -> [Key] {
        defer { expected = [] }
        return Array(expected)
    }

    mutating func know(_ keys: [Key], _ values: [Key: Value]) {
        for key in keys { known[key] = .some(values[key]) }
    }
}
