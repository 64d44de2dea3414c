import TestSupport

/// Changes inputs by lots, as fuzzers do.
struct Mutator {
    var random: SeededRandom
    private static let marks = Array("{}[]\":,\\\n\r/~0e-.u+*?|()$^ \u{FEFF}é".utf8)

    /// One input of the corpus, or two joined, with a few changes.
    mutating func input(from corpus: [[UInt8]]) -> [UInt8] {
        var bytes = corpus.randomElement(using: &random) ?? []
        if Int.random(in: 0..<8, using: &random) == 0, let other = corpus.randomElement(using: &random) {
            bytes = Array(bytes.prefix(place(in: bytes))) + other.dropFirst(place(in: other))
        }
        for _ in 0..<Int.random(in: 1...5, using: &random) { change(&bytes) }
        return bytes
    }

    private mutating func place(in bytes: [UInt8]) -> Int { Int.random(in: 0...bytes.count, using: &random) }

    private mutating func change(_ bytes: inout [UInt8]) {
        let place = place(in: bytes)
        let length = min(bytes.count - place, Int.random(in: 1...8, using: &random))
        switch Int.random(in: 0..<6, using: &random) {
        case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
        case 2: bytes.insert(Self.marks.randomElement(using: &random) ?? 0, at: place)
        case 3: bytes.removeSubrange(place..<place + length)
        case 4: bytes.insert(contentsOf: Array(bytes[place..<place + length]), at: self.place(in: bytes))
        default: bytes.removeSubrange(place...)
        }
    }
}
