package import JSON

/// A request for a chat completion, as the Messages request that asks the same.
///
/// The opposite of what providers of that dialect are asked. What has no counterpart is refused by its name, except what
/// `ignored` lists: it shapes no answer here.
package struct CompletionRequest: Sendable {
    /// What cannot be asked, by the parameter at fault.
    package struct Refused: Error, Hashable, Sendable {
        package var parameter: String
        package var message: String
    }

    /// A Messages request; `max_tokens` stands in it only where the caller said so.
    package let messages: [UInt8]
    /// Whether the stream ends with a chunk of usage.
    package let includesUsage: Bool
    package let streams: Bool

    /// Taken and not passed on, as `docs/compatible-apis.md` says.
    package static let ignored: Set<String> = [
        "seed", "store", "metadata", "prompt_cache_key", "prompt_cache_retention", "safety_identifier",
        "verbosity",
        "prediction",
    ]

    package init(_ body: JSON) throws(Refused) {
        guard body.kind == .object else {
            throw Refused(parameter: "body", message: "the body must be a JSON object")
        }
        streams = try Self.flag(body, "stream") ?? false
        includesUsage =
            if let options = body["stream_options"] { try Self.flag(options, "include_usage") ?? false } else
            { false }
        try Self.refuseWhatHasNoCounterpart(body)
        var writer = JSONWriter()
        var conversation = Conversation()
        try conversation.take(body["messages"])
        var parts = JSONWriter()
        try Self.write(body, conversation, to: &parts)
        writer.object { writer in
            if body["stream"]?.bool == true { writer.field("stream", true) }
            if let model = body["model"]?.string { writer.field("model", model) }
            if !parts.bytes.isEmpty { writer.raw(parts.bytes) }
        }
        messages = writer.bytes
    }

    private static func flag(_ body: JSON, _ name: String) throws(Refused) -> Bool? {
        guard let value = body[name], !value.isNull else { return nil }
        guard let flag = value.bool else {
            throw Refused(parameter: name, message: "\(name) must be true or false")
        }
        return flag
    }

    private static let known: Set<String> = ignored.union([
        "model", "messages", "stream", "stream_options", "user", "service_tier", "parallel_tool_calls",
        "max_tokens", "max_completion_tokens", "temperature", "top_p", "stop", "tools", "tool_choice",
        "response_format", "reasoning_effort", "n", "logprobs", "top_logprobs", "presence_penalty",
        "frequency_penalty", "logit_bias", "modalities",
    ])

    private static func refuseWhatHasNoCounterpart(_ body: JSON) throws(Refused) {
        for (name, value) in body.members ?? [] where !value.isNull {
            let isNeutral =
                switch name {
                case "n": value.int == 1
                case "logprobs": value.bool == false
                case "presence_penalty", "frequency_penalty", "top_logprobs": value.double == 0
                case "logit_bias": value.members?.isEmpty == true
                case "modalities": value.elements?.allSatisfy { $0.string == "text" } == true
                default: known.contains(name)
                }
            guard !isNeutral else { continue }
            throw Refused(
                parameter: name, message: "\(name) has no counterpart in the Messages API: leave it out")
        }
    }
}

// MARK: - Everything but the messages

extension CompletionRequest {
    private static func write(
        _ body: JSON, _ conversation: Conversation, to writer: inout JSONWriter
    ) throws(Refused) {
        if !conversation.system.isEmpty { writer.field("system", raw: conversation.systemJSON) }
        writer.field("messages", raw: conversation.json)
        let limit = try number(body, "max_completion_tokens")
        if let limit = try limit == nil ? number(body, "max_tokens") : limit {
            writer.field("max_tokens", raw: limit)
        }
        for name in ["temperature", "top_p"] {
            guard let value = body[name], !value.isNull else { continue }
            guard let number = value.double, number >= 0, number <= 2 else {
                throw Refused(parameter: name, message: "\(name) must be a number from 0 to 2")
            }
            // Theirs ends at 1, as in the provider's own compatible endpoint.
            writer.field(name, raw: number > 1 ? Array("1".utf8) : Array(value.raw))
        }
        if let stop = body["stop"], !stop.isNull { try write(stop: stop, to: &writer) }
        try writeTools(body, to: &writer)
        try writeOutput(body, to: &writer)
        if let user = body["user"]?.string {
            writer.key("metadata")
            writer.object { $0.field("user_id", user) }
        }
        switch body["service_tier"]?.string {
        case "default": writer.field("service_tier", "standard_only")
        case "auto": writer.field("service_tier", "auto")
        default: break
        }
    }

    private static func number(_ body: JSON, _ name: String) throws(Refused) -> [UInt8]? {
        guard let value = body[name], !value.isNull else { return nil }
        guard let number = value.int, number >= 1 else {
            throw Refused(parameter: name, message: "\(name) must be a whole number above 0")
        }
        return Array(value.raw)
    }

    private static func write(stop: JSON, to writer: inout JSONWriter) throws(Refused) {
        let texts = stop.string.map { [$0] } ?? stop.elements?.compactMap(\.string)
        guard let texts, stop.string != nil || texts.count == stop.count else {
            throw Refused(parameter: "stop", message: "stop must be a string or an array of strings")
        }
        // Sequences of white space alone are refused there.
        let kept = texts.filter { $0.contains { !$0.isWhitespace } }
        guard !kept.isEmpty else { return }
        writer.key("stop_sequences")
        writer.array { writer in
            for text in kept { writer.string(text) }
        }
    }

    private static func writeTools(_ body: JSON, to writer: inout JSONWriter) throws(Refused) {
        guard let tools = body["tools"], !tools.isNull else {
            guard body["tool_choice"]?.string ?? "none" == "none" || body["tool_choice"]?.isNull == true
            else {
                throw Refused(parameter: "tool_choice", message: "tool_choice needs tools")
            }
            return
        }
        guard let elements = tools.elements else {
            throw Refused(parameter: "tools", message: "tools must be an array")
        }
        guard !elements.isEmpty else { return }
        var list: [[UInt8]] = []
        for (index, tool) in elements.enumerated() {
            list.append(try self.tool(tool, named: "tools[\(index)]"))
        }
        writer.key("tools")
        writer.array { writer in
            for tool in list { writer.raw(tool) }
        }
        if let choice = try choice(body) { writer.field("tool_choice", raw: choice) }
    }

    private static func tool(_ tool: JSON, named name: String) throws(Refused) -> [UInt8] {
        guard tool["type"]?.string == "function", let function = tool["function"],
            let called = function["name"]?.string
        else {
            throw Refused(
                parameter: name, message: "\(name) must be a function with a name: others have no counterpart"
            )
        }
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("name", called)
            if let text = function["description"]?.string { writer.field("description", text) }
            let schema = function["parameters"].flatMap { $0.kind == .object ? Array($0.raw) : nil }
            writer.field("input_schema", raw: schema ?? Array(#"{"type":"object","properties":{}}"#.utf8))
            if function["strict"]?.bool == true { writer.field("strict", true) }
        }
        return writer.bytes
    }

    private static func choice(_ body: JSON) throws(Refused) -> [UInt8]? {
        let isSerial = body["parallel_tool_calls"]?.bool == false
        var writer = JSONWriter()
        func write(_ type: String, name: String? = nil) {
            writer.object { writer in
                writer.field("type", type)
                if let name { writer.field("name", name) }
                if isSerial, type != "none" { writer.field("disable_parallel_tool_use", true) }
            }
        }
        let choice = body["tool_choice"]
        switch choice?.string {
        case "auto": write("auto")
        case "required": write("any")
        case "none": write("none")
        case nil where choice == nil || choice?.isNull == true:
            guard isSerial else { return nil }
            write("auto")
        case nil where choice?["type"]?.string == "function":
            write("tool", name: choice?["function"]?["name"]?.string ?? "")
        default:
            throw Refused(
                parameter: "tool_choice",
                message: "tool_choice must be auto, required, none or a function by its name")
        }
        return writer.bytes
    }

    private static func writeOutput(_ body: JSON, to writer: inout JSONWriter) throws(Refused) {
        var output = JSONWriter()
        switch body["reasoning_effort"]?.string {
        case nil: break
        case "none": writer.field("thinking", raw: Array(#"{"type":"disabled"}"#.utf8))
        case "minimal", "low": output.field("effort", "low")
        case let effort? where ["medium", "high", "xhigh", "max"].contains(effort):
            output.field("effort", effort)
        default:
            throw Refused(
                parameter: "reasoning_effort",
                message: "reasoning_effort must be none, minimal, low, medium, high, xhigh or max")
        }
        if let format = body["response_format"], !format.isNull { try write(format: format, to: &output) }
        guard !output.bytes.isEmpty else { return }
        writer.key("output_config")
        let bytes = output.bytes
        writer.object { $0.raw(bytes) }
    }

    private static func write(format: JSON, to output: inout JSONWriter) throws(Refused) {
        switch format["type"]?.string {
        case "text": break
        case "json_schema":
            guard let schema = format["json_schema"]?["schema"], schema.kind == .object else {
                throw Refused(
                    parameter: "response_format", message: "response_format.json_schema needs a schema")
            }
            output.key("format")
            output.object { writer in
                writer.field("type", "json_schema")
                writer.field("schema", raw: Array(schema.raw))
            }
        default:
            throw Refused(
                parameter: "response_format",
                message:
                    "response_format must be text or json_schema: json_object has no counterpart, give a schema"
            )
        }
    }
}
