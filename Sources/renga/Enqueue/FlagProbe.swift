import JSON

extension EnqueueOptions {
    /// Has the server judge the flags by themselves, with one line that is not enqueued: what is wrong with a flag is wrong
    /// with each line, and is said once.
    func probe(_ server: ServerClient) async throws {
        let given = defaults.flags
        guard !given.isEmpty else { return }
        var maker = LineMaker(defaults: defaults, isText: true)
        guard let line = maker.job(Array("probe".utf8)) else { return }
        let answer = try await server.send(
            "POST", "/v1/jobs/bulk", query: [("dry_run", "true")], body: line.bytes,
            contentType: "application/x-ndjson")
        guard let error = try JSON.parse(answer, maxDepth: JSON.deepest)["error"],
            let field = error["field"]?.string,
            let flag = given.first(where: { $0.isNamed(by: field) })
        else { return }
        throw UsageError(
            "--\(flag.name) is “\(Text.oneLine(flag.value, limit: 100))”: \(Text.oneLine(error.text("detail"), limit: 500))"
        )
    }
}

/// A flag that counts for lines.
private struct GivenFlag {
    var name: String
    var value: String

    /// By the job's field that a problem names: `tags[0]`, `max_tokens`, `request.model`.
    func isNamed(by field: String) -> Bool {
        let plain = field.split(separator: ".").last.map(String.init) ?? field
        let own = name == "tag" ? "tags" : name == "max-tokens" ? "max_tokens" : name
        return plain == own || plain.hasPrefix(own + "[")
    }
}

extension LineDefaults {
    fileprivate var flags: [GivenFlag] {
        let single = [
            ("queue", queue), ("model", model), ("system", system),
            ("max-tokens", maxTokens.map { String($0) }),
            ("deadline", deadline), ("processing", processing),
        ]
        return single.compactMap { name, value in value.map { GivenFlag(name: name, value: $0) } }
            + (tags.isEmpty ? [] : [GivenFlag(name: "tag", value: tags.joined(separator: ", "))])
    }
}
