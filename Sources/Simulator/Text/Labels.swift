/// The labels among which a prompt asks to choose, in its own spelling; empty if it asks for none.
///
/// Found in sentences that speak of choosing ("One word: positive, negative or neutral.", "Classify into:" and a
/// list of lines), as a list with commas, slashes, bars, `or` and `and`. Works on bytes: it reads every prompt.
struct Labels {
    private typealias Bytes = ArraySlice<UInt8>

    /// Instructions are looked for at the beginning and at the end of a long text.
    private static let window = 4_096
    private static let longestLabel = 40

    private let bytes: [UInt8]
    /// The same with ASCII lowercased, at the same indices.
    private let lower: [UInt8]

    static func named(in text: String) -> [String] {
        text.isEmpty ? [] : Labels(text).find()
    }

    private init(_ text: String) {
        let utf8 = text.utf8
        let isLong = utf8.count > 2 * Self.window
        bytes = isLong ? utf8.prefix(Self.window) + [newline] + utf8.suffix(Self.window) : Array(utf8)
        lower = bytes.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
    }

    private func find() -> [String] {
        let lines = bytes.split { $0 == newline || $0 == 0x0D }.map { trimming($0, isSpace) }
        for (index, line) in lines.enumerated() where speaksOfChoosing(line) {
            if let labels = inline(line) { return labels }
            let listed = lines[(index + 1)...].filter { !$0.isEmpty }.prefix { bullet($0) != nil }
            let labels = listed.compactMap(bullet)
            if labels.count >= 2 { return labels }
        }
        return []
    }

    private func speaksOfChoosing(_ text: Bytes) -> Bool {
        Self.cues.contains { position(of: $0, in: text) != nil }
    }

    /// What follows a colon, if it reads as a list; else the first stretch that does.
    private func inline(_ line: Bytes) -> [String]? {
        for sentence in line.split(whereSeparator: endsSentence) where speaksOfChoosing(sentence) {
            let parts = sentence.split(separator: UInt8(ascii: ":"))
            for part in parts.dropFirst() {
                if let labels = list(part) { return labels }
            }
            for part in parts {
                if let labels = firstList(in: part) ?? embedded(part) { return labels }
            }
        }
        return nil
    }

    private func firstList(in part: Bytes) -> [String]? {
        for connector in Self.connectors {
            guard let start = position(of: connector, in: part) else { continue }
            if let labels = list(bytes[start + connector.count..<part.endIndex]) { return labels }
        }
        if let bracket = part.firstIndex(where: opens) {
            return list(part[(bracket + 1)...].prefix { !closes($0) })
        }
        return Self.openings.contains { lower[part.indices].starts(with: $0) } ? nil : list(part)
    }

    private func list(_ stretch: Bytes) -> [String]? {
        let items = items(of: stretch)
        guard items.count >= 2, items.allSatisfy(isLabel) else { return nil }
        return items.map { String(decoding: $0, as: UTF8.self) }
    }

    /// `Is this review positive or negative`: the last word before the list belongs to it.
    private func embedded(_ part: Bytes) -> [String]? {
        var items = items(of: part)
        guard items.count >= 2, let first = items[0].split(separator: space).last else { return nil }
        items[0] = first
        guard items.allSatisfy({ isLabel($0) && !$0.contains(space) }) else { return nil }
        return items.map { String(decoding: $0, as: UTF8.self) }
    }

    private func items(of stretch: Bytes) -> [Bytes] {
        var items: [Bytes] = []
        var start = stretch.startIndex
        var at = start
        while at < stretch.endIndex {
            let width = separatorWidth(at: at, before: stretch.endIndex)
            guard width > 0 else {
                at += 1
                continue
            }
            items.append(bytes[start..<at])
            at += width
            start = at
        }
        items.append(bytes[start..<stretch.endIndex])
        return items.map { trimming($0, wraps) }.filter { !$0.isEmpty }
    }

    /// How many bytes separate two items here; the space after `or` is left, as it may begin another separator.
    private func separatorWidth(at index: Int, before end: Int) -> Int {
        switch bytes[index] {
        case UInt8(ascii: ","), UInt8(ascii: "|"), UInt8(ascii: "/"): 1
        case space where lower[index..<end].starts(with: " or ".utf8): 3
        case space where lower[index..<end].starts(with: " and ".utf8): 4
        default: 0
        }
    }

    private func isLabel(_ item: Bytes) -> Bool {
        item.count <= Self.longestLabel && item.split(separator: space).count <= 3
    }

    /// The text of a list's line, up to an explanation after a colon or a dash.
    private func bullet(_ line: Bytes) -> String? {
        let mark = line.prefix(while: marksItem)
        guard !mark.isEmpty, mark.count < line.count else { return nil }
        var item = line[mark.endIndex...].prefix { $0 != UInt8(ascii: ":") }
        if let dash = position(of: Array(" - ".utf8), in: item) { item = item[..<dash] }
        item = trimming(item, wraps)
        return isLabel(item) && !item.isEmpty ? String(decoding: item, as: UTF8.self) : nil
    }

    private func position(of pattern: [UInt8], in text: Bytes) -> Int? {
        guard let at = lower.firstRange(of: pattern, from: text.startIndex, before: text.endIndex) else {
            return nil
        }
        return at
    }
}

extension Labels {
    private static let cues = bytes(of: [
        "one word", "single word", "classif", "categor", "label", "one of", "choose", "pick", "either",
        "sentiment",
        "answer with", "answer only", "reply with", "respond with", "answer yes", "reply only",
        "respond only",
        "into:", "is this", "rate ", "decide", "yes or no", "true or false", "return only", "output only",
    ])

    private static let connectors = bytes(of: [
        " one of ", " as either ", " as ", " into ", " with only ", " with exactly ", " with ", " among ",
        " between ", " either ", "answer only ", "answer ", "reply only ", "reply ", "respond only ",
        "only ", " is this ", " from ", " word ",
    ])

    /// A part that begins so asks; the list comes later in it.
    private static let openings = bytes(of: [
        "is ", "are ", "was ", "does ", "do ", "rate ", "decide ", "answer ",
    ])

    private static func bytes(of texts: [String]) -> [[UInt8]] { texts.map { Array($0.utf8) } }
}

private let newline = UInt8(ascii: "\n")
private let space = UInt8(ascii: " ")

private func trimming(_ text: ArraySlice<UInt8>, _ unwanted: (UInt8) -> Bool) -> ArraySlice<UInt8> {
    var text = text.drop(while: unwanted)
    while let last = text.last, unwanted(last) { text.removeLast() }
    return text
}

private func isSpace(_ byte: UInt8) -> Bool { byte == space || byte == 0x09 }

private func endsSentence(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: ".") || byte == UInt8(ascii: "!") || byte == UInt8(ascii: "?")
        || byte == UInt8(ascii: ";")
}

private func opens(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "(") || byte == UInt8(ascii: "[") || byte == UInt8(ascii: "{")
}

private func closes(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: ")") || byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}")
}

private func wraps(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"), UInt8(ascii: "*"), UInt8(ascii: "<"),
        UInt8(ascii: ">"):
        true
    default: isSpace(byte) || opens(byte) || closes(byte)
    }
}

/// `-`, `*`, and numbers with a point or a bracket.
private func marksItem(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "*"), UInt8(ascii: "."),
        UInt8(ascii: ")"):
        true
    default: false
    }
}
