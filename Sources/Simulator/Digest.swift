import Crypto

/// The SHA-256 of a request's body, held inline: a table of a million of them stays at some tens of megabytes.
package struct Digest: Hashable, Sendable {
    let words: (UInt64, UInt64, UInt64, UInt64)

    /// The digest of these bytes, as the journal counts calls by it.
    package init(of bytes: [UInt8]) {
        let hash = SHA256.hash(bytes)
        func word(_ at: Int) -> UInt64 { hash[at..<at + 8].reduce(0) { $0 << 8 | UInt64($1) } }
        words = (word(0), word(8), word(16), word(24))
    }

    /// 64 lowercase hexadecimal digits.
    package var hex: String {
        [words.0, words.1, words.2, words.3].map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    package static func == (a: Digest, b: Digest) -> Bool { a.words == b.words }

    // SHA-256 is uniform already: one word of it tells as much as all four.
    package func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}
