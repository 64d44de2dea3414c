import JSON

/// Writes JSON that a schema accepts and that looks as if it were about the text.
struct SchemaFiller {
    /// Deeper schemas, which only recursion makes, are cut with null.
    private static let maximumDepth = 24

    let root: JSON
    let text: String
    /// How sure the answer is of itself, if the schema asks.
    let confidence: ClosedRange<Double>
    var random: SeededRandom
    private var writer = JSONWriter()

    init(
        _ schema: JSON, about text: String, confidence: ClosedRange<Double> = 0.7...1, _ random: SeededRandom
    ) {
        self.confidence = confidence
        root = schema
        self.text = text
        self.random = random
    }

    /// The JSON text; the same for the same schema, text and seed.
    mutating func fill() -> [UInt8] {
        write(root, named: "", depth: 0)
        return writer.bytes
    }

    private mutating func write(_ schema: JSON, named name: String, depth: Int) {
        guard depth < Self.maximumDepth else { return writer.null() }
        if let target = schema["$ref"]?.string.flatMap(resolve) {
            return write(target, named: name, depth: depth + 1)
        }
        if let constant = schema["const"] { return writer.raw(constant.raw) }
        if let choices = schema["enum"]?.elements, !choices.isEmpty { return choose(choices) }
        for keyword in ["anyOf", "oneOf", "allOf"] {
            guard let option = schema[keyword]?.elements?.first(where: { $0["type"]?.string != "null" })
            else {
                continue
            }
            return write(option, named: name, depth: depth + 1)
        }
        switch type(of: schema) {
        case "object": writeObject(schema, depth: depth)
        case "array": writeArray(schema, named: name, depth: depth)
        case "integer": writer.int(integer(schema, named: name))
        case "number": writer.double(number(schema, named: name))
        case "boolean": writer.bool(random.next() & 1 == 0)
        case "null": writer.null()
        default: writer.string(string(schema, named: name))
        }
    }

    private func type(of schema: JSON) -> String {
        if let name = schema["type"]?.string { return name }
        let names = schema["type"]?.elements?.compactMap(\.string) ?? []
        if let name = names.first(where: { $0 != "null" }) { return name }
        return schema["properties"] != nil ? "object" : schema["items"] != nil ? "array" : "string"
    }

    private mutating func choose(_ choices: [JSON]) {
        let labels = choices.compactMap(\.string)
        guard labels.count == choices.count else { return writer.raw(random.pick(choices).raw) }
        writer.string(Classifier(labels: labels).label(for: text, &random))
    }

    private mutating func writeObject(_ schema: JSON, depth: Int) {
        var filler = self
        writer.object { writer in
            filler.writer = writer
            for (name, property) in schema["properties"]?.members ?? [] {
                filler.writer.key(name)
                filler.write(property, named: Words.lowercased(name), depth: depth + 1)
            }
            writer = filler.writer
        }
        random = filler.random
    }

    private mutating func writeArray(_ schema: JSON, named name: String, depth: Int) {
        let count = max(schema["minItems"]?.int ?? 0, Int(1 + random.next() % 2))
        let limit = min(schema["maxItems"]?.int ?? count, 100)
        var filler = self
        writer.array { writer in
            filler.writer = writer
            for _ in 0..<min(count, limit) {
                guard let items = schema["items"] else { break }
                filler.write(items, named: name, depth: depth + 1)
            }
            writer = filler.writer
        }
        random = filler.random
    }

    /// Only references within the schema: others were refused at the door of the real endpoint.
    private func resolve(_ reference: String) -> JSON? {
        guard reference.hasPrefix("#") else { return nil }
        return reference.dropFirst().split(separator: "/").reduce(Optional(root)) { $0?[String($1)] }
    }
}

extension SchemaFiller {
    private mutating func integer(_ schema: JSON, named name: String) -> Int {
        let low = schema["minimum"]?.int ?? 1
        let high = max(low, schema["maximum"]?.int ?? low + (name == "year" ? 2024 : 9))
        return low + Int(random.next() % UInt64(min(high - low, 1_000_000) + 1))
    }

    private mutating func number(_ schema: JSON, named name: String) -> Double {
        let isShare = ["confidence", "score", "probability"].contains { name.contains($0) }
        let least = schema["minimum"]?.double ?? 0
        let most = max(least, schema["maximum"]?.double ?? (isShare ? 1 : 100))
        let low = isShare ? min(max(least, most * confidence.lowerBound), most) : least
        let high = isShare ? max(low, most * confidence.upperBound) : most
        return ((low + (high - low) * random.unit()) * 100).rounded() / 100
    }

    private mutating func string(_ schema: JSON, named name: String) -> String {
        switch schema["format"]?.string {
        case "date": return "2026-11-20"
        case "date-time": return "2026-11-20T09:00:00Z"
        case "time": return "09:00:00"
        case "email": return "someone@example.com"
        case "uri", "url": return "https://example.com/"
        case "uuid": return "3f2a1c9e-0000-4000-8000-000000000001"
        default: break
        }
        if name.contains("sentiment") {
            return Classifier(labels: ["positive", "negative", "neutral"]).label(for: text, &random)
        }
        if ["summary", "reason", "explanation", "description", "answer", "text"].contains(
            where: name.contains)
        {
            return Prose.paragraph(about: text, tokens: 8, &random)
        }
        return Words.topics(of: text, count: 3).first ?? "example"
    }
}
