import JSON
import Jobs

/// A Messages request as it goes to the provider: as sent, with what was left out filled in.
struct MessagesRequest {
    var json: JSON
    var model: String
    var maxTokens: Int

    var bytes: [UInt8] { Array(json.raw) }

    /// What is put in if a request leaves it out.
    struct Defaults {
        var model: String
        /// Nil if a request needs none.
        var maxTokens: Int?
        /// JSON.
        var system: [UInt8]?
    }

    /// Checks what renga itself must know; everything else is between the caller and the provider.
    ///
    /// `name` is the request's full name in messages: `jobs[3].request`, or nothing if it is the whole body.
    init(_ json: JSON, named name: String, defaults: Defaults) throws(Problem) {
        let prefix = name.isEmpty ? "" : name + "."
        try Self.demandObject(json, named: name)
        // What is passed on for a caller who waits is the caller's own; in files null is a gap in a table.
        let json = name.isEmpty ? json : try json.withoutGaps(named: name)
        guard let messages = json["messages"] else {
            throw .missingField(prefix + "messages", "a request needs “messages”, as the Messages API does")
        }
        try Field(name: prefix + "messages", value: messages).demandElements("an array of messages")
        let model = try json["model"].map { (value) throws(Problem) in
            try Field(name: prefix + "model", value: value).line(bytes: JobLimits.modelBytes)
        }
        let maxTokens = try json["max_tokens"].map { (value) throws(Problem) in
            try Field(name: prefix + "max_tokens", value: value).integer(in: JobLimits.requestMaxTokens)
        }
        self.model = model ?? defaults.model
        self.maxTokens = maxTokens ?? defaults.maxTokens ?? 0
        var missing = JSONWriter()
        if model == nil { missing.field("model", defaults.model) }
        if maxTokens == nil, let standard = defaults.maxTokens { missing.field("max_tokens", standard) }
        if let system = defaults.system, json["system"] == nil { missing.field("system", raw: system) }
        self.json = try json.adding(missing.bytes, named: name)
    }

    /// Refuses what has no members.
    static func demandObject(_ json: JSON, named name: String) throws(Problem) {
        guard json.kind == .object else {
            throw Field(name: name.isEmpty ? "body" : name, value: json).refuse(
                "a Messages API request object")
        }
    }

    /// A single user message.
    init(prompt: String, model: String, maxTokens: Int, system: [UInt8]?) throws(Problem) {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("model", model)
            writer.field("max_tokens", maxTokens)
            if let system { writer.field("system", raw: system) }
            writer.key("messages")
            writer.array { writer in
                writer.object { writer in
                    writer.field("role", "user")
                    writer.field("content", prompt)
                }
            }
        }
        self.model = model
        self.maxTokens = maxTokens
        json = try JSON.ofOwn(writer.bytes, named: "prompt")
    }
}

extension JSON {
    /// This object without members that are null, and with whole numbers that tables write as `64.0` written as such; an
    /// object that has neither stays byte for byte.
    fileprivate func withoutGaps(named name: String) throws(Problem) -> JSON {
        let members = members ?? []
        func isFraction(_ member: (key: String, value: JSON)) -> Bool {
            ["max_tokens", "top_k"].contains(member.key) && member.value.int == nil
                && member.value.wholeNumber != nil
        }
        guard members.contains(where: { $0.value.isNull || isFraction($0) }) else { return self }
        var writer = JSONWriter()
        writer.object { writer in
            for member in members where !member.value.isNull {
                if isFraction(member) {
                    writer.field(member.key, member.value.wholeNumber)
                } else {
                    writer.field(member.key, raw: member.value.raw)
                }
            }
        }
        return try .ofOwn(writer.bytes, named: name)
    }

    /// This object, which is not empty, with members added at its end; everything else stays byte for byte.
    fileprivate func adding(_ members: [UInt8], named name: String) throws(Problem) -> JSON {
        guard !members.isEmpty else { return self }
        return try .ofOwn(
            Array(raw.dropLast()) + [UInt8(ascii: ",")] + members + [UInt8(ascii: "}")], named: name)
    }

    /// Parses what was put together here from parts that were parsed before, so that it cannot fail.
    static func ofOwn(_ bytes: [UInt8], named name: String) throws(Problem) -> JSON {
        do {
            return try parse(bytes, maxDepth: deepest)
        } catch {
            throw Problem(.invalidField, "“\(name)” cannot be read: \(error.message)", field: name)
        }
    }
}
