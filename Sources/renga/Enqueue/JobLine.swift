import JSON

/// A line of the input as a job for the API.
///
/// A string is a prompt; an object with `messages` and none of a job's own fields is a Messages request; one with
/// `custom_id` and `params` or `body` is a line of a provider's batch file; any other object is a job. Null counts as left
/// out. What cannot be read goes to the server as it is, which says what is wrong with it.
struct JobLine {
    private let json: JSON
    private let defaults: LineDefaults

    init(_ json: JSON, _ defaults: LineDefaults) {
        self.json = json
        self.defaults = defaults
    }

    /// The line's own `custom_id`; nil if there is none.
    var customID: String? { isJob ? given("custom_id")?.string : nil }

    /// A job as JSON, with the id in it unless it has one; nil for what can be no job.
    func job(customID: String) -> [UInt8]? {
        if json.kind == .string { return prompt(customID: customID) }
        guard json.kind == .object else { return nil }
        if isBatchFileLine { return batchFileLine() }
        return isJob ? completed(customID: customID) : request(customID: customID)
    }

    /// All that shapes the answer, and nothing else: the same for lines that would share one.
    func shape() -> [UInt8] {
        var bytes = defaults.model.map { Array($0.utf8) } ?? []
        for text in [defaults.system, defaults.maxTokens.map { String($0) }] {
            bytes += Array("\u{0}".utf8) + Array((text ?? "").utf8)
        }
        let omitted: Set<String> = [
            "custom_id", "queue", "priority", "run_at", "delay", "deadline", "max_attempts", "tags",
            "metadata", "check", "processing",
        ]
        json.appendCanonical(to: &bytes, omitting: isJob ? omitted : ["metadata", "stream"])
        return bytes
    }

    private var isJob: Bool {
        guard json.kind == .object else { return false }
        return given("messages") == nil || ["request", "custom_id", "queue"].contains { given($0) != nil }
    }

    private var isBatchFileLine: Bool {
        given("custom_id")?.string != nil && ["params", "body"].contains { given($0) != nil }
    }

    private func given(_ name: String) -> JSON? {
        json[name].flatMap { $0.isNull ? nil : $0 }
    }

    private func prompt(customID: String) -> [UInt8] {
        object { writer in
            writer.field("custom_id", customID)
            writer.jobDefaults(defaults)
            writer.field("prompt", raw: json.raw)
            writer.requestDefaults(defaults) { _ in false }
        }
    }

    private func request(customID: String) -> [UInt8] {
        object { writer in
            writer.field("custom_id", customID)
            writer.jobDefaults(defaults)
            writer.field("request", raw: filled(json))
        }
    }

    private func completed(customID: String) -> [UInt8] {
        object { writer in
            for (name, value) in json.members ?? [] where !value.isNull {
                writer.field(
                    name, raw: name == "request" && value.kind == .object ? filled(value)[...] : value.raw)
            }
            if given("custom_id") == nil { writer.field("custom_id", customID) }
            writer.jobDefaults(defaults) { given($0) != nil }
            if given("request") == nil { writer.requestDefaults(defaults) { given($0) != nil } }
        }
    }

    /// The line as it is, with what the command line says for lines that do not.
    private func batchFileLine() -> [UInt8] {
        object { writer in
            for (name, value) in json.members ?? [] where !value.isNull {
                let isRequest = ["params", "body"].contains(name) && value.kind == .object
                writer.field(name, raw: isRequest ? filled(value)[...] : value.raw)
            }
            writer.jobDefaults(defaults) { given($0) != nil }
        }
    }

    /// A request with what it leaves out; everything else byte for byte, unless something is null.
    private func filled(_ request: JSON) -> [UInt8] {
        let isChat = given("body") != nil && given("request") == nil
        let members = request.members ?? []
        func has(_ name: String) -> Bool {
            // A chat completion has its instructions among its messages, and two names for one limit.
            if isChat, name == "system" { return true }
            let names = isChat && name == "max_tokens" ? [name, "max_completion_tokens"] : [name]
            return members.contains { names.contains($0.key) && !$0.value.isNull }
        }
        var missing = JSONWriter()
        missing.requestDefaults(defaults, unless: has)
        guard !members.contains(where: \.value.isNull) else {
            return object { writer in
                for (name, value) in members where !value.isNull { writer.field(name, raw: value.raw) }
                writer.requestDefaults(defaults, unless: has)
            }
        }
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
        if let processing = defaults.processing, !has("processing") { field("processing", processing) }
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
