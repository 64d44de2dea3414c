/// The labels among which a prompt asks to choose, in its own spelling; empty where it asks for none.
///
/// Found in sentences that speak of choosing ("One word: positive, negative or neutral.", "Classify into:" and a
/// list of lines), as a list with commas, slashes, bars, `or` and `and`.
enum Labels {
    /// Instructions are looked for at the beginning and at the end of a long text.
    private static let window = 4_096
    private static let longestLabel = 40

    static func named(in text: String) -> [String] {
        let lines = clipped(text).split(whereSeparator: \.isNewline).map { trimmed($0) }
        for (index, line) in lines.enumerated() where speaksOfChoosing(line) {
            if let labels = inline(line) { return Array(labels) }
            let listed = lines[(index + 1)...].filter { !$0.isEmpty }.prefix { bullet($0) != nil }
            let labels = listed.compactMap(bullet)
            if labels.count >= 2 { return labels }
        }
        return []
    }

    private static func clipped(_ text: String) -> String {
        guard text.utf8.count > 2 * window else { return text }
        return prefix(of: text, bytes: window) + "\n"
            + String(decoding: text.utf8.suffix(window), as: UTF8.self)
    }

    private static func speaksOfChoosing(_ line: String) -> Bool {
        let lower = Words.lowercased(line)
        return cues.contains { lower.contains($0) }
    }

    /// The first stretch after a colon or a connecting word that reads as a list.
    private static func inline(_ line: String) -> [String]? {
        for sentence in line.split(whereSeparator: { ".!?;".contains($0) })
        where speaksOfChoosing(String(sentence)) {
            var rest = Substring(sentence)
            while !rest.isEmpty {
                let part = rest.prefix { $0 != ":" }
                if let labels = stretches(of: part).lazy.compactMap(list).first ?? embedded(part) {
                    return labels
                }
                rest = rest.dropFirst(part.count + 1)
            }
        }
        return nil
    }

    private static func stretches(of part: Substring) -> [Substring] {
        let lower = Words.lowercased(part)
        var found = [part]
        for connector in connectors {
            guard let start = Array(lower.utf8).firstRange(of: Array(connector.utf8)) else { continue }
            let from = part.utf8.index(part.startIndex, offsetBy: start + connector.utf8.count)
            found.append(part[from...])
        }
        if let bracket = part.firstIndex(where: { "([{".contains($0) }) {
            found.append(part[part.index(after: bracket)...].prefix { !")]}".contains($0) })
        }
        return found
    }

    private static func list(_ stretch: Substring) -> [String]? {
        var normal = String(stretch)
        for separator in [" or ", " and ", "|", "/"] { normal = replacing(separator, in: normal) }
        let items = normal.split(separator: ",").map(cleaned).filter { !$0.isEmpty }
        guard items.count >= 2, items.allSatisfy(isLabel) else { return nil }
        return items
    }

    /// `Is this review positive or negative`: the last word before the list belongs to it.
    private static func embedded(_ part: Substring) -> [String]? {
        let items = replacing(" or ", in: String(part)).split(separator: ",").map(cleaned)
        guard items.count >= 2, items.dropFirst().allSatisfy({ isLabel($0) && !$0.contains(" ") }),
            let first = items[0].split(separator: " ").last
        else { return nil }
        return [String(first)] + items.dropFirst()
    }

    private static func replacing(_ separator: String, in text: String) -> String {
        var result: [UInt8] = []
        var rest = Array(text.utf8)
        let pattern = Array(separator.utf8)
        while let at = rest.firstRange(of: pattern) {
            result += rest[..<at] + [UInt8(ascii: ",")]
            // The space after one separator may begin the next: `a or b or c`.
            rest = Array(rest[(at + pattern.count - (separator.hasSuffix(" ") ? 1 : 0))...])
        }
        return String(decoding: result + rest, as: UTF8.self)
    }

    private static func cleaned(_ item: some StringProtocol) -> String {
        let wrapping: Set<Character> = [
            " ", "\t", "\"", "'", "`", "*", "(", ")", "[", "]", "{", "}", "<", ">",
        ]
        let start = item.drop { wrapping.contains($0) }
        return String(start.dropLast(start.reversed().prefix { wrapping.contains($0) }.count))
    }

    private static func isLabel(_ item: String) -> Bool {
        item.utf8.count <= longestLabel && item.split(separator: " ").count <= 3
    }

    /// The text of a list's line, up to an explanation after a colon or a dash.
    private static func bullet(_ line: String) -> String? {
        let mark = line.prefix { $0.isNumber || "-*•.)".contains($0) }
        guard !mark.isEmpty, mark.count < line.count else { return nil }
        let item = line.dropFirst(mark.count).prefix { $0 != ":" && $0 != "–" }
        let label = cleaned(item.split(separator: " - ").first ?? item[...])
        return isLabel(label) && !label.isEmpty ? label : nil
    }

    private static let cues = [
        "one word", "single word", "classif", "categor", "label", "one of", "choose", "pick", "either",
        "sentiment",
        "answer with", "answer only", "reply with", "respond with", "answer yes", "reply only",
        "respond only",
        "into:", "is this", "rate ", "decide", "yes or no", "true or false", "return only", "output only",
    ]

    private static let connectors = [
        " one of ", " as either ", " as ", " into ", " with only ", " with exactly ", " with ", " among ",
        " between ", " either ", "answer only ", "answer ", "reply only ", "reply ", "respond only ",
        "only ", " is this ", " from ", " word ",
    ]
}
