import JSON

/// Tools, and which of them the model may or must use.
extension ChatRequest {
    func writeTools(_ json: inout JSONWriter) throws {
        if let tools = request["tools"]?.elements, !tools.isEmpty {
            json.key("tools")
            try json.array { list in
                for (index, tool) in tools.enumerated() { try write(tool, "tools.\(index)", &list) }
            }
        }
        guard let choice = request["tool_choice"], !choice.isNull else { return }
        try write(choice: choice, &json)
        if choice["disable_parallel_tool_use"]?.bool == true, choice["type"]?.string != "none" {
            json.field("parallel_tool_calls", false)
        }
    }

    private func write(_ tool: JSON, _ path: String, _ list: inout JSONWriter) throws {
        if let type = tool["type"]?.string, type != "custom" {
            throw Unmappable(
                path: "\(path).type",
                reason: "the provider's own tool “\(excerpt(type))” is not to be had here")
        }
        try tool.refuseMembers(except: Self.knownOfTool, at: path)
        let callers = tool["allowed_callers"]?.elements?.compactMap(\.string) ?? []
        guard callers.isEmpty || callers.contains("direct") else {
            throw Unmappable(
                path: "\(path).allowed_callers", reason: "a chat's tools are called by the model alone")
        }
        guard let name = tool["name"]?.string else {
            throw Unmappable(path: "\(path).name", reason: "a tool needs a name")
        }
        list.object { json in
            json.field("type", "function")
            json.key("function")
            json.object { json in
                json.field("name", name)
                if let text = tool["description"]?.string { json.field("description", text) }
                if let schema = tool["input_schema"] { json.field("parameters", raw: schema.raw) }
                if let strict = tool["strict"]?.bool { json.field("strict", strict) }
            }
        }
    }

    private static let knownOfTool: Set<String> = [
        "type", "name", "description", "input_schema", "strict", "cache_control", "eager_input_streaming",
        "defer_loading", "allowed_callers",
    ]

    private func write(choice: JSON, _ json: inout JSONWriter) throws {
        switch choice["type"]?.string {
        case "auto": json.field("tool_choice", "auto")
        case "any": json.field("tool_choice", "required")
        case "none": json.field("tool_choice", "none")
        case "tool":
            json.key("tool_choice")
            json.object { json in
                json.field("type", "function")
                json.key("function")
                json.object { $0.field("name", choice["name"]?.string ?? "") }
            }
        default:
            throw Unmappable(path: "tool_choice.type", reason: "only auto, any, none and tool are known")
        }
    }
}
