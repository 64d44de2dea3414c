import JSON

/// Compares one value with a schema, and notes what does not fit.
struct SchemaJudge {
    let schema: AnswerSchema
    private(set) var reasons: [String] = []
    private var visits = 0

    /// Whether the value took more looks than a check may cost: then it is unknown whether it fits.
    var isExhausted: Bool { visits > AnswerSchema.visitLimit }

    init(schema: AnswerSchema) {
        self.schema = schema
    }

    mutating func judge(_ value: JSON, by index: Int, at path: String) {
        visits += 1
        guard !isExhausted else { return }
        let node = schema.nodes[index]
        guard !node.refusesAll else { return complain(path, "must not be there") }
        guard node.types.isEmpty || node.types.contains(where: { value.is($0) }) else {
            return complain(path, "must be \(Self.list(node.types)), not \(value.kindName)")
        }
        if let choices = node.choices, !choices.contains(where: value.equals) {
            let names = choices.prefix(10).map { String(decoding: $0.raw.prefix(80), as: UTF8.self) }
            complain(
                path, "must be \(Self.list(names))\(choices.count > 10 ? " …" : ""), not \(value.excerpt)")
        }
        for part in node.parts { judge(value, by: part, at: path) }
        judgeBranches(value, node, at: path)
        for (keyword, limit) in node.bounds { judge(value, keyword, limit, at: path) }
        switch value.kind {
        case .object: judgeObject(value, node, at: path)
        case .array: judgeArray(value, node, at: path)
        case .string: judgeString(value, node, at: path)
        default: break
        }
    }

    private mutating func complain(_ path: String, _ text: String) {
        guard reasons.count < AnswerSchema.complaintLimit else { return }
        reasons.append("\(path.isEmpty ? "it" : path) \(text)")
    }

    /// Branches are tried on a copy, as their complaints are not the value's.
    private mutating func judgeBranches(_ value: JSON, _ node: AnswerSchema.Node, at path: String) {
        for (branches, isExclusive) in [(node.anyOf, false), (node.oneOf, true)] where !branches.isEmpty {
            var fitting = 0
            for branch in branches where isExclusive || fitting == 0 {
                var trial = self
                trial.reasons = []
                trial.judge(value, by: branch, at: path)
                visits = trial.visits
                if trial.reasons.isEmpty { fitting += 1 }
            }
            if fitting == 0 { complain(path, "fits none of the \(branches.count) forms that it may have") }
            if isExclusive, fitting > 1 { complain(path, "fits \(fitting) forms where it must fit one") }
        }
    }

    private mutating func judgeObject(_ value: JSON, _ node: AnswerSchema.Node, at path: String) {
        for name in node.required where value[name] == nil { complain(path + "/" + name, "is missing") }
        for (name, property) in node.properties {
            if let member = value[name] { judge(member, by: property, at: path + "/" + name) }
        }
        guard node.refusesOthers || node.others != nil else { return }
        // Names are the same if their bytes are: Swift's strings equal each other in more ways.
        let known = Set(node.properties.map { Array($0.name.utf8) })
        for (name, member) in value.members ?? [] where !known.contains(Array(name.utf8)) {
            if let others = node.others {
                judge(member, by: others, at: path + "/" + name)
            } else {
                complain(path + "/" + name.prefix(80), "is not one of the members allowed")
            }
        }
    }

    private mutating func judgeArray(_ value: JSON, _ node: AnswerSchema.Node, at path: String) {
        guard let items = node.items else { return }
        for (index, element) in (value.elements ?? []).enumerated() {
            judge(element, by: items, at: "\(path)/\(index)")
        }
    }

    private mutating func judgeString(_ value: JSON, _ node: AnswerSchema.Node, at path: String) {
        guard node.pattern != nil || node.format != nil, let text = value.string else { return }
        visits += text.utf8.count / 100
        if let pattern = node.pattern, pattern.isFound(in: text) != true {
            complain(path, "must match \(pattern.source)")
        }
        if let format = node.format, format.pattern.isFound(in: text) != true {
            complain(path, "must be a \(format.name), not \(value.excerpt)")
        }
    }

    private mutating func judge(_ value: JSON, _ bound: AnswerSchema.Bound, _ limit: Double, at path: String)
    {
        let name = limit == limit.rounded() && abs(limit) < 1e15 ? "\(Int64(limit))" : "\(limit)"
        func say(_ fits: Bool, _ words: String) { if !fits { complain(path, "must \(words) \(name)") } }
        switch (bound, value.kind) {
        case (.minimum, .number): say(value.double ?? 0 >= limit, "be at least")
        case (.maximum, .number): say(value.double ?? 0 <= limit, "be at most")
        case (.exclusiveMinimum, .number): say(value.double ?? 0 > limit, "be more than")
        case (.exclusiveMaximum, .number): say(value.double ?? 0 < limit, "be less than")
        case (.multipleOf, .number):
            let quotient = (value.double ?? 0) / limit
            say(abs(quotient - quotient.rounded()) < 1e-9, "be a multiple of")
        case (.minLength, .string): say(Double(value.length) >= limit, "have a length of at least")
        case (.maxLength, .string): say(Double(value.length) <= limit, "have a length of at most")
        case (.minItems, .array): say(Double(value.count) >= limit, "have a number of items of at least")
        case (.maxItems, .array): say(Double(value.count) <= limit, "have a number of items of at most")
        case (.minProperties, .object):
            say(Double(value.count) >= limit, "have a number of members of at least")
        case (.maxProperties, .object):
            say(Double(value.count) <= limit, "have a number of members of at most")
        default: break
        }
    }

    private static func list(_ names: [String]) -> String {
        names.count == 1 ? names[0] : names.dropLast().joined(separator: ", ") + " or " + (names.last ?? "")
    }
}

extension JSON {
    fileprivate func `is`(_ type: String) -> Bool {
        switch (type, kind) {
        case ("object", .object), ("array", .array), ("string", .string), ("boolean", .bool), ("null", .null),
            ("number", .number):
            true
        // 1.0 is an integer too.
        case ("integer", .number): double.map { $0 == $0.rounded() } ?? false
        default: false
        }
    }

    fileprivate func equals(_ other: JSON) -> Bool {
        if kind == .number, other.kind == .number { return double == other.double }
        return kind == other.kind && canonical() == other.canonical()
    }

    fileprivate var length: Int { string?.unicodeScalars.count ?? 0 }

    var kindName: String {
        switch kind {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    /// The value if it is short, else what it is.
    var excerpt: String { raw.count <= 60 ? String(decoding: raw, as: UTF8.self) : kindName }
}
