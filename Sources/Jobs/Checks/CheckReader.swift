package import JSON

extension Check {
    private static let fields =
        "schema, labels, ignore_case, confidence, pattern, tool_input and on_fail"

    /// Reads a check as it is sent; the error's field begins with `name`.
    package init(_ json: JSON, named name: String = "check") throws(CheckError) {
        guard let members = json.members else { throw CheckError(name, "must be an object") }
        guard json.raw.count <= Self.byteLimit else {
            throw CheckError(name, "must have at most \(Self.byteLimit) bytes")
        }
        var ignoresCase: Bool?
        for (key, value) in members where !value.isNull {
            let field = name + "." + key
            switch key {
            case "schema": schema = try AnswerSchema(value, named: field)
            case "labels": labels = Labels(names: try Self.labels(value, field), ignoresCase: false)
            case "ignore_case": ignoresCase = try Self.flag(value, field)
            case "confidence": confidence = try Self.confidence(value, field)
            case "pattern": pattern = try Self.pattern(value, field)
            case "tool_input": toolInput = try Self.flag(value, field)
            case "on_fail": steps = try Self.steps(value, field)
            default: throw CheckError(field, "is not a field here; a check has \(Self.fields)")
            }
        }
        if let ignoresCase {
            guard labels != nil else {
                throw CheckError(name + ".ignore_case", "stands beside “labels” only")
            }
            labels?.ignoresCase = ignoresCase
        }
        guard !saysNothing else {
            throw CheckError(name, "needs a rule: schema, labels, confidence, pattern or tool_input")
        }
    }

    private static func flag(_ value: JSON, _ field: String) throws(CheckError) -> Bool {
        guard let flag = value.bool else { throw CheckError(field, "must be true or false") }
        return flag
    }

    private static func labels(_ value: JSON, _ field: String) throws(CheckError) -> [String] {
        let names = value.elements?.compactMap(\.string).map(\.trimmed) ?? []
        guard !names.isEmpty, names.count == value.elements?.count, names.count <= labelLimit,
            names.allSatisfy({ !$0.isEmpty })
        else { throw CheckError(field, "must be an array of 1 to \(labelLimit) strings, none of them empty") }
        return names
    }

    private static func confidence(_ value: JSON, _ field: String) throws(CheckError) -> Confidence {
        guard let members = value.members else {
            throw CheckError(field, "must be an object such as {\"at\":\"/confidence\",\"min\":0.85}")
        }
        for (key, _) in members where key != "at" && key != "min" {
            throw CheckError(field + "." + key, "is not a field here; it has at and min")
        }
        guard let pointer = value["at"]?.string.flatMap(JSONPointer.init) else {
            throw CheckError(field + ".at", "must be a JSON pointer such as “/confidence”")
        }
        guard let least = value["min"]?.double else { throw CheckError(field + ".min", "must be a number") }
        return Confidence(pointer: pointer, least: least)
    }

    private static func pattern(_ value: JSON, _ field: String) throws(CheckError) -> Pattern {
        guard let source = value.string else { throw CheckError(field, "must be a regular expression") }
        do {
            return try Pattern(source)
        } catch {
            throw CheckError(field, "cannot be read: \(error.message)")
        }
    }
}

// What follows a failure.
extension Check {
    private static let stepForms = "“repair”, {\"escalate\":\"MODEL\"}, “review” or “fail”"

    /// A list of steps, or one.
    private static func steps(_ value: JSON, _ field: String) throws(CheckError) -> [CheckStep] {
        guard let elements = value.elements else { return [try step(value, field)] }
        guard elements.count <= stepLimit else {
            throw CheckError(field, "must have at most \(stepLimit) steps")
        }
        var steps: [CheckStep] = []
        for (index, element) in elements.enumerated() {
            let name = "\(field)[\(index)]"
            let step = try step(element, name)
            guard steps.last?.endsTheJob != true else {
                throw CheckError(name, "stands after “\(steps[index - 1].word)”, which must be the last step")
            }
            steps.append(step)
        }
        return steps
    }

    private static func step(_ value: JSON, _ field: String) throws(CheckError) -> CheckStep {
        switch value.string {
        case "repair": return .repair
        case "review": return .review
        case "fail": return .fail
        case nil: break
        default: throw CheckError(field, "must be \(stepForms)")
        }
        guard value.count == 1, let model = value["escalate"]?.string, !model.isEmpty, model.utf8.count <= 200
        else { throw CheckError(field, "must be \(stepForms)") }
        return .escalate(model: model)
    }
}

extension String {
    /// Without the white space around it.
    var trimmed: String {
        var scalars = unicodeScalars[...]
        while let first = scalars.first, first.properties.isWhitespace { scalars.removeFirst() }
        while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
        return String(scalars)
    }
}
