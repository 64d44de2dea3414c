/// The labels among which a prompt asks to choose, in its own spelling.
///
/// They follow a colon in a sentence that speaks of choosing, divided by commas, slashes, bars or `or`: "One word: positive,
/// negative or neutral."
enum Labels {
    /// Instructions are at the beginning or at the end of a long text.
    private static let window = 4_096
    private static let longestLabel = 40
    private static let cues = [
        "one word", "one of", "label", "classif", "categor", "choose", "sentiment", "answer with",
    ].map { Array($0.utf8) }

    /// Empty if it asks for none.
    static func named(in text: String) -> [String] {
        let bytes = text.utf8
        let isLong = bytes.count > 2 * window
        let read = isLong ? bytes.prefix(window) + [newline] + bytes.suffix(window) : Array(bytes)
        for sentence in read.split(whereSeparator: endsSentence) {
            guard let colon = sentence.firstIndex(of: UInt8(ascii: ":")), speaksOfChoosing(sentence) else {
                continue
            }
            let labels = list(String(decoding: sentence[(colon + 1)...], as: UTF8.self))
            if labels.count >= 2 { return labels }
        }
        return []
    }

    private static func speaksOfChoosing(_ sentence: ArraySlice<UInt8>) -> Bool {
        let lower = sentence.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        return cues.contains { lower.firstRange(of: $0) != nil }
    }

    /// Nothing if it does not read as a list.
    private static func list(_ text: String) -> [String] {
        var items: [[Substring]] = [[]]
        for word in text.split(whereSeparator: { $0 == " " || $0 == "\t" }) {
            for (index, part) in word.split(omittingEmptySubsequences: false, whereSeparator: divider)
                .enumerated()
            {
                if index > 0 || part == "or" { items.append([]) }
                let label = part.filter { !"\"'`*()[]<>".contains($0) }
                if !label.isEmpty, part != "or" { items[items.count - 1].append(label[...]) }
            }
        }
        let labels = items.filter { !$0.isEmpty }
        let areLabels = labels.allSatisfy { $0.count <= 3 }
        return areLabels
            ? labels.map { $0.joined(separator: " ") }.filter { $0.utf8.count <= longestLabel } : []
    }

    private static func divider(_ character: Character) -> Bool { ",/|".contains(character) }
}

private let newline = UInt8(ascii: "\n")

private func endsSentence(_ byte: UInt8) -> Bool {
    [newline, UInt8(ascii: "."), UInt8(ascii: "!"), UInt8(ascii: "?"), UInt8(ascii: ";")].contains(byte)
}
