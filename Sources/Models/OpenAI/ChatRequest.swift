import JSON

/// A Messages request as a chat completion request.
///
/// It says everything that shapes the answer, or is refused by the name of what it cannot say. Left out in silence
/// is only what shapes no answer of such a provider: `cache_control`, `eager_input_streaming`, `defer_loading` (the tool is
/// there from the start), `allowed_callers` of the model itself, `diagnostics`, the standard `speed`, edits that only clear a
/// prompt, and thinking that another model signed.
struct ChatRequest {
    let request: JSON
    /// The model as this provider names it.
    let model: String
    let limitField: OpenAIService.LimitField

    /// Throws `Unmappable`.
    func body(streams: Bool) throws -> [UInt8] {
        try request.refuseMembers(except: Self.known)
        try refuseWhatShapesTheAnswer()
        var json = JSONWriter()
        try json.object { json in
            json.field("model", model)
            try writeMessages(&json)
            try writeLimits(&json)
            try writeTools(&json)
            try writeShape(&json)
            writeCaller(&json)
            guard streams else { return }
            json.field("stream", true)
            json.key("stream_options")
            json.object { $0.field("include_usage", true) }
        }
        return json.bytes
    }

    private static let known: Set<String> = [
        "model", "messages", "system", "max_tokens", "stop_sequences", "temperature", "top_p", "tools",
        "tool_choice", "thinking", "output_config", "output_format", "metadata", "service_tier", "stream",
        "cache_control", "diagnostics", "speed", "context_management", "inference_geo",
    ]

    /// Of members that are mostly left out, the values that are not: what they ask for is not to be had here.
    private func refuseWhatShapesTheAnswer() throws(Unmappable) {
        if let speed = request["speed"], !speed.isNull, speed.string != "standard" {
            throw Unmappable(path: "speed", reason: "only the standard speed is to be had here")
        }
        if let place = request["inference_geo"], !place.isNull, place.string != "global" {
            throw Unmappable(path: "inference_geo", reason: "nobody can say where a chat is answered")
        }
        let edits = request["context_management"]?["edits"]?.elements ?? []
        for (index, edit) in edits.enumerated() where edit["type"]?.string?.hasPrefix("clear_") != true {
            throw Unmappable(
                path: "context_management.edits.\(index)", reason: "a chat is not summarized on its way")
        }
    }

    private func writeLimits(_ json: inout JSONWriter) throws {
        if let limit = request["max_tokens"], !limit.isNull {
            guard limit.int != 0 else {
                throw Unmappable(path: "max_tokens", reason: "0 fills a cache, which a chat cannot ask for")
            }
            json.field(limitField.rawValue, raw: limit.raw)
        }
        for (theirs, ours) in [
            ("stop_sequences", "stop"), ("temperature", "temperature"), ("top_p", "top_p"),
        ] {
            guard let value = request[theirs], !value.isNull, value.kind != .array || value.count > 0 else {
                continue
            }
            json.field(ours, raw: value.raw)
        }
    }

    /// The form of the answer, and how hard to think about it.
    private func writeShape(_ json: inout JSONWriter) throws {
        let config = request["output_config"]
        try config?.refuseMembers(except: ["format", "effort"], at: "output_config")
        if let format = config?["format"] ?? request["output_format"], !format.isNull {
            try write(format: format, &json)
        }
        if let effort = try config?["effort"]?.string ?? effortOfThinking() {
            json.field("reasoning_effort", effort)
        }
    }

    private func write(format: JSON, _ json: inout JSONWriter) throws {
        let path = "output_config.format"
        guard format["type"]?.string == "json_schema", let schema = format["schema"] else {
            throw Unmappable(path: path, reason: "only a json_schema with its schema can be asked for")
        }
        try format.refuseMembers(except: ["type", "schema", "name"], at: path)
        json.key("response_format")
        json.object { json in
            json.field("type", "json_schema")
            json.key("json_schema")
            json.object { json in
                json.field("name", format["name"]?.string ?? "answer")
                json.field("schema", raw: schema.raw)
                json.field("strict", true)
            }
        }
    }

    /// A budget as the effort whose budget it is where proxies translate the other way; what thinks by itself, or
    /// shall not think, is left to the model.
    private func effortOfThinking() throws -> String? {
        guard let thinking = request["thinking"], !thinking.isNull else { return nil }
        switch thinking["type"]?.string {
        case "enabled":
            let budget = thinking["budget_tokens"]?.int ?? 0
            return budget < 2048 ? "low" : budget < 4096 ? "medium" : "high"
        case "adaptive", "disabled": return nil
        default:
            throw Unmappable(path: "thinking.type", reason: "only enabled, adaptive and disabled are known")
        }
    }

    /// For whom, and at which tier.
    private func writeCaller(_ json: inout JSONWriter) {
        if let user = request["metadata"]?["user_id"]?.string { json.field("user", user) }
        switch request["service_tier"]?.string {
        case "auto": json.field("service_tier", "auto")
        case "standard_only": json.field("service_tier", "default")
        default: break
        }
    }
}
