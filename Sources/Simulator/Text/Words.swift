/// A text as lowercased words, for guessing what it is about.
enum Words {
    /// Longer texts are judged by their beginning.
    private static let maximumBytes = 8_192

    /// Runs of ASCII letters, digits and apostrophes, ASCII lowercased; bytes beyond ASCII count as letters.
    static func of(_ text: String) -> [String] {
        var words: [String] = []
        var word: [UInt8] = []
        for byte in text.utf8.prefix(maximumBytes) {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): word.append(byte | 0x20)
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "'"), 0x80...:
                word.append(byte)
            default: flush(&word, to: &words)
            }
        }
        flush(&word, to: &words)
        return words
    }

    static func lowercased(_ text: some StringProtocol) -> String {
        String(
            decoding: text.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    /// The longest words, in the order of the text: what a text is probably about.
    static func topics(of text: String, count: Int) -> [String] {
        var seen: Set<String> = []
        let candidates = of(text).filter {
            $0.utf8.count > 4 && !dull.contains($0) && seen.insert($0).inserted
        }
        let longest = Set(candidates.sorted { $0.utf8.count > $1.utf8.count }.prefix(count))
        return candidates.filter(longest.contains)
    }

    private static func flush(_ word: inout [UInt8], to words: inout [String]) {
        guard !word.isEmpty else { return }
        words.append(String(decoding: word, as: UTF8.self))
        word.removeAll(keepingCapacity: true)
    }

    private static let dull: Set<String> = [
        "about", "answer", "describe", "exactly", "explain", "please", "sentence", "there", "these", "where",
        "which", "write", "words",
    ]
}
