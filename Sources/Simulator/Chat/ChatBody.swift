import JSON

/// A chat completion request as the Messages request that asks for the same: the model behind both is one.
struct ChatBody {
    private let body: JSON

    /// The Messages request, and whether a stream shall end with the counts.
    static func translate(_ bytes: [UInt8]) throws(APIError) -> (request: [UInt8], includesUsage: Bool) {
        let body: JSON
        do { body = try JSON.parse(bytes) } catch {
            throw .invalid("We could not parse the JSON body of your request: \(error.message)")
        }
        guard body.kind == .object else { throw .invalid("The request body must be a JSON object") }
        let chat = ChatBody(body: body)
        return (try chat.request(), body["stream_options"]?["include_usage"]?.bool == true)
    }

    /// If a request sets no limit.
    private static let usualLimit = 4096

    private static let known: Set<String> = [
        "model", "messages", "max_completion_tokens", "max_tokens", "temperature", "top_p", "n", "stop",
        "stream",
        "stream_options", "tools", "tool_choice", "parallel_tool_calls", "response_format",
        "reasoning_effort", "seed", "user", "metadata", "service_tier", "store",
    ]

    private func request() throws(APIError) -> [UInt8] {
        for (name, _) in body.members ?? [] where !Self.known.contains(name) {
            throw .invalid("Unrecognized request argument supplied: \(name)")
        }
        guard body["n"].map({ $0.isNull || $0.int == 1 }) ?? true else {
            throw .invalid("n: only 1 is supported")
        }
        guard body["max_tokens"] == nil || body["max_completion_tokens"] == nil else {
            throw .invalid("max_tokens and max_completion_tokens cannot both be set")
        }
        guard let messages = body["messages"]?.elements else {
            throw .invalid("Missing required parameter: 'messages'.")
        }
        let conversation = try ChatConversation(messages)
        var json = JSONWriter()
        json.object { json in
            if let model = body["model"] { json.field("model", raw: model.raw) }
            let limit = body["max_completion_tokens"] ?? body["max_tokens"]
            if let limit, !limit.isNull {
                json.field("max_tokens", raw: limit.raw)
            } else {
                json.field("max_tokens", Self.usualLimit)
            }
            conversation.write(&json)
            writeSampling(&json)
            writeTools(&json)
            writeForm(&json)
        }
        return json.bytes
    }

    private func writeSampling(_ json: inout JSONWriter) {
        for name in ["temperature", "top_p"] {
            // A top_p of 1 says nothing, and beside a temperature it would be refused.
            guard let value = body[name]?.double, name != "top_p" || value < 1 else { continue }
            json.field(name, min(1, value))
        }
        let stops = body["stop"].map { $0.elements ?? [$0] } ?? []
        let sequences = stops.compactMap(\.string).filter { !trimmed($0).isEmpty }
        if !sequences.isEmpty {
            json.key("stop_sequences")
            json.array { list in for sequence in sequences { list.string(sequence) } }
        }
        if let stream = body["stream"]?.bool { json.field("stream", stream) }
    }

    private func writeForm(_ json: inout JSONWriter) {
        guard body["response_format"]?["type"]?.string == "json_schema",
            let schema = body["response_format"]?["json_schema"]?["schema"]
        else { return }
        json.key("output_config")
        json.object { json in
            json.key("format")
            json.object { json in
                json.field("type", "json_schema")
                json.field("schema", raw: schema.raw)
            }
        }
    }

    private func writeTools(_ json: inout JSONWriter) {
        guard let tools = body["tools"]?.elements, !tools.isEmpty else { return }
        json.key("tools")
        json.array { list in
            for tool in tools {
                list.object { json in
                    let function = tool["function"]
                    json.field("name", function?["name"]?.string ?? "")
                    if let text = function?["description"]?.string { json.field("description", text) }
                    json.field(
                        "input_schema",
                        raw: function?["parameters"]?.raw ?? Array(#"{"type":"object"}"#.utf8)[...])
                }
            }
        }
        writeToolChoice(&json)
    }

    private func writeToolChoice(_ json: inout JSONWriter) {
        let choice = body["tool_choice"]
        let isSingle = body["parallel_tool_calls"]?.bool == false
        guard choice != nil || isSingle else { return }
        json.key("tool_choice")
        json.object { json in
            switch choice?.string {
            case "none": return json.field("type", "none")
            case "required": json.field("type", "any")
            default:
                let name = choice?["function"]?["name"]?.string
                json.field("type", name == nil ? "auto" : "tool")
                if let name { json.field("name", name) }
            }
            if isSingle { json.field("disable_parallel_tool_use", true) }
        }
    }
}
