package import JSON

extension Check {
    /// A complaint is cut to so many characters: it goes into the history, and back to the model.
    private static let complaintLength = 1_000

    /// What is wrong with an answer, in words for people and for the model; nil if it passes.
    ///
    /// `request` is the Messages request that was answered, `body` the Message.
    package func reason(about body: [UInt8], to request: [UInt8]) -> String? {
        guard let message = try? JSON.parse(body, maxDepth: JSON.deepest) else {
            return "the answer is no Message that can be read"
        }
        let answer = CheckedAnswer(message)
        var reasons: [String] = []
        if answer.isRefusal { reasons.append("the model refused to answer") }
        if let labels { reasons += labels.reasons(about: answer) }
        if let pattern { reasons += pattern.reasons(about: answer) }
        if schema != nil || confidence != nil { reasons += jsonComplaints(about: answer) }
        if toolInput { reasons += toolComplaints(about: answer, request) }
        guard !reasons.isEmpty else { return nil }
        if let cut = answer.cut { reasons.append(cut) }
        return String(reasons.joined(separator: "; ").prefix(Self.complaintLength))
    }

    private func jsonComplaints(about answer: CheckedAnswer) -> [String] {
        let json: JSON
        switch answer.json {
        case .success(let value): json = value
        case .failure(let fault): return [fault.message]
        }
        var reasons = schema?.reasons(about: json).map { "in the answer's JSON \($0)" } ?? []
        if let confidence { reasons += confidence.reasons(about: json) }
        return reasons
    }

    private func toolComplaints(about answer: CheckedAnswer, _ request: [UInt8]) -> [String] {
        guard let request = try? JSON.parse(request, maxDepth: JSON.deepest) else { return [] }
        let calls = answer.calls
        if calls.isEmpty, ["any", "tool"].contains(request["tool_choice"]?["type"]?.string) {
            return ["the answer calls no tool"]
        }
        let tools = request["tools"]?.elements ?? []
        return calls.flatMap { call in
            guard let tool = tools.first(where: { $0["name"]?.string == call.name }) else {
                return ["the answer calls a tool that does not exist: \(call.name.prefix(100))"]
            }
            return Self.reasons(about: call, tool)
        }
    }

    /// Tools of the provider have no schema of their own.
    private static func reasons(about call: CheckedAnswer.Call, _ tool: JSON) -> [String] {
        guard let source = tool["input_schema"], let schema = try? AnswerSchema(source, named: "input_schema")
        else { return [] }
        return schema.reasons(about: call.input).map { "in the input of \(call.name) \($0)" }
    }

    /// Throws if a tool's own schema is none that a check can hold its input to.
    package static func checkTools(of request: JSON, named name: String) throws(CheckError) {
        for (index, tool) in (request["tools"]?.elements ?? []).enumerated() {
            guard let schema = tool["input_schema"] else { continue }
            _ = try AnswerSchema(schema, named: "\(name).tools[\(index)].input_schema")
        }
    }
}

extension Check.Labels {
    fileprivate func reasons(about answer: CheckedAnswer) -> [String] {
        let text = answer.text
        let isKnown =
            ignoresCase ? names.contains { $0.lowercased() == text.lowercased() } : names.contains(text)
        guard !isKnown else { return [] }
        let list = names.prefix(20).map { "“\($0.prefix(60))”" }.joined(separator: ", ")
        let found = text.count <= 60 ? "“\(text)”" : "a text of \(text.count) characters"
        return [
            "the answer must be one of \(list)\(names.count > 20 ? " …" : "") and nothing else, not \(found)"
        ]
    }
}

extension Check.Confidence {
    fileprivate func reasons(about json: JSON) -> [String] {
        guard let value = pointer.value(in: json) else {
            return ["the answer's JSON has nothing at \(pointer.text)"]
        }
        guard let number = value.double else {
            return ["the answer's JSON has \(value.kindName) at \(pointer.text) where a number must be"]
        }
        guard number < least else { return [] }
        return ["the answer's \(pointer.text) is \(number), below \(least)"]
    }
}

extension Pattern {
    fileprivate func reasons(about answer: CheckedAnswer) -> [String] {
        switch isFound(in: answer.text) {
        case true?: []
        case false?: ["the answer must match the regular expression \(source)"]
        case nil: ["the answer is too long to be matched with the regular expression"]
        }
    }
}
