import JSON

/// A line of the input as a job for the API.
///
/// A string is a prompt; an object with `messages` and none of a job's own fields is a Messages request; any other
/// object is a job. What cannot be read goes to the server as it is, which says what is wrong with it.
struct JobLine {
    private let json: JSON
    private let defaults: LineDefaults

    init(_ json: JSON, _ defaults: LineDefaults) {
        self.json = json
        self.defaults = defaults
    }

    /// The caller's own key; nil where there is none.
    var key: String? { isJob ? json["key"]?.string : nil }

    /// A job as JSON, with the key in it unless it has one; nil for what can be no job.
    func job(key: String) -> [UInt8]? {
        if json.kind == .string { return prompt(key: key) }
        guard json.kind == .object else { return nil }
        return isJob ? completed(key: key) : request(key: key)
    }

    /// All that shapes the answer, and nothing else: the same for lines that would share one.
    func shape() -> [UInt8] {
        var bytes = defaults.model.map { Array($0.utf8) } ?? []
        for text in [defaults.system, defaults.maxTokens.map { String($0) }] {
            bytes += Array("\u{0}".utf8) + Array((text ?? "").utf8)
        }
        let omitted: Set<String> = [
            "key", "queue", "priority", "run_at", "delay", "deadline", "max_attempts", "tags", "metadata",
            "check", "lane",
        ]
        json.appendCanonical(to: &bytes, omitting: isJob ? omitted : ["metadata", "stream"])
        return bytes
    }

    private var isJob: Bool {
        guard json.kind == .object else { return false }
        return json["messages"] == nil || json["request"] != nil || json["key"] != nil || json["queue"] != nil
    }

    private func prompt(key: String) -> [UInt8] {
        object { writer in
            writer.field("key", key)
            writer.jobDefaults(defaults)
            writer.field("prompt", raw: json.raw)
            writer.requestDefaults(defaults) { _ in false }
        }
    }

    private func request(key: String) -> [UInt8] {
        object { writer in
            writer.field("key", key)
            writer.jobDefaults(defaults)
            writer.field("request", raw: filled(json))
        }
    }

    private func completed(key: String) -> [UInt8] {
        object { writer in
            for (name, value) in json.members ?? [] {
                writer.field(
                    name, raw: name == "request" && value.kind == .object ? filled(value)[...] : value.raw)
            }
            if json["key"] == nil { writer.field("key", key) }
            writer.jobDefaults(defaults) { json[$0] != nil }
            if json["request"] == nil { writer.requestDefaults(defaults) { json[$0] != nil } }
        }
    }

    /// A Messages request with what it leaves out; everything else byte for byte.
    private func filled(_ request: JSON) -> [UInt8] {
        var missing = JSONWriter()
        missing.requestDefaults(defaults) { request[$0] != nil }
        let comma = request.count > 0 && !missing.bytes.isEmpty ? Array(",".utf8) : []
        return request.raw.dropLast() + comma + missing.bytes + Array("}".utf8)
    }

    private func object(_ body: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        writer.object(body)
        return writer.bytes
    }
}

extension JSONWriter {
    fileprivate mutating func jobDefaults(
        _ defaults: LineDefaults, unless has: (String) -> Bool = { _ in false }
    ) {
        if let queue = defaults.queue, !has("queue") { field("queue", queue) }
        if let deadline = defaults.deadline, !has("deadline") { field("deadline", deadline) }
        if let lane = defaults.lane, !has("lane") { field("lane", lane) }
        guard !defaults.tags.isEmpty, !has("tags") else { return }
        key("tags")
        array { writer in defaults.tags.forEach { writer.string($0) } }
    }

    fileprivate mutating func requestDefaults(_ defaults: LineDefaults, unless has: (String) -> Bool) {
        if let model = defaults.model, !has("model") { field("model", model) }
        if let system = defaults.system, !has("system") { field("system", system) }
        if let maxTokens = defaults.maxTokens, !has("max_tokens") { field("max_tokens", maxTokens) }
    }
}
