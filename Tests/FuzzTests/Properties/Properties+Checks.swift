import JSON

@testable import Jobs

extension Property {
    static let checks = [
        Property(name: "pattern", check: pattern), Property(name: "schema", check: schema),
        Property(name: "check", check: check),
    ]

    /// A pattern finds what the plainest of all matchers finds; the pattern is the first line, the text the rest.
    private static func pattern(_ bytes: [UInt8]) throws {
        let (source, rest) = (bytes.halves.0.text, bytes.halves.1.text)
        guard let pattern = try? Pattern(source) else { return }
        let text = String(String.UnicodeScalarView(rest.unicodeScalars.prefix(40)))
        var parser = PatternParser(source)
        let matcher = PlainMatcher(pattern: pattern, text: Array(text.unicodeScalars))
        try demand(
            pattern.isFound(in: text), is: matcher.finds(try parser.parse()), "“\(source)” in “\(text)”")
    }

    /// A schema alone in a list of parts or branches says what it says by itself; the value is the second line.
    private static func schema(_ bytes: [UInt8]) throws {
        let (source, text) = bytes.halves
        guard let json = try? JSON.parse(source), let value = try? JSON.parse(text),
            let schema = try? AnswerSchema(json, named: "schema"), json["$ref"] == nil, json.bool == nil
        else { return }
        let reasons = schema.reasons(about: value)
        try demand(reasons.count <= AnswerSchema.complaintLimit, "\(reasons.count) complaints")
        for keyword in ["allOf", "anyOf", "oneOf"] where !source.text.contains("#") {
            let wrapped = try JSON.parse("{\"\(keyword)\":[\(source.text)]}")
            let same = try AnswerSchema(wrapped, named: "schema").reasons(about: value)
            try demand(same.isEmpty, is: reasons.isEmpty, "\(keyword) of one: \(same), \(reasons)")
        }
    }

    /// A check has its say in bounded words; the answer's text is the second line.
    private static func check(_ bytes: [UInt8]) throws {
        let (source, text) = bytes.halves
        guard let json = try? JSON.parse(source), let check = try? Check(json) else { return }
        var message = JSONWriter()
        message.object { message in
            message.field("type", "message")
            message.key("content")
            message.array { content in
                content.object { block in
                    block.field("type", "text")
                    block.field("text", text.text)
                }
            }
        }
        let reason = check.reason(about: message.bytes, to: Array("{}".utf8))
        try demand((1...1_000).contains(reason?.count ?? 1), "a complaint of \(reason?.count ?? 0)")
    }
}

/// Follows a pattern's tree with all places at once that a match can have come to: slow, and too plain to be wrong.
private struct PlainMatcher {
    let pattern: Pattern
    let text: [Unicode.Scalar]

    func finds(_ tree: PatternTree) -> Bool { !ends(of: tree, from: Set(0...text.count)).isEmpty }

    private func ends(of tree: PatternTree, from places: Set<Int>) -> Set<Int> {
        switch tree {
        case .scalar(let set):
            Set(places.filter { $0 < text.count && pattern.accepts(text[$0], set) }.map { $0 + 1 })
        case .edge(let edge): places.filter { holds(edge, at: $0) }
        case .sequence(let parts): parts.reduce(places) { ends(of: $1, from: $0) }
        case .either(let branches): branches.reduce(into: []) { $0.formUnion(ends(of: $1, from: places)) }
        case .repeated(let part, let least, let most): repeated(part, least, most, from: places)
        }
    }

    private func repeated(_ part: PatternTree, _ least: Int, _ most: Int?, from places: Set<Int>) -> Set<Int>
    {
        var places = places
        for _ in 0..<least {
            let next = ends(of: part, from: places)
            if next == places { break }
            places = next
        }
        for _ in least..<(most ?? least + text.count + 1) {
            let next = places.union(ends(of: part, from: places))
            if next == places { break }
            places = next
        }
        return places
    }

    private func holds(_ edge: Pattern.Step, at place: Int) -> Bool {
        func isWord(_ place: Int) -> Bool {
            text.indices.contains(place) && ScalarSet.word.contains(text[place])
        }
        return switch edge {
        case .start: place == 0
        case .end: place == text.count
        case .wordEdge(let wanted): (isWord(place - 1) != isWord(place)) == wanted
        default: false
        }
    }
}
