import JSON

/// The conversation: one Messages turn is one message or several.
extension ChatRequest {
    func writeMessages(_ json: inout JSONWriter) throws {
        let messages = request["messages"]?.elements ?? []
        guard messages.last?["role"]?.string != "assistant" else {
            throw Unmappable(
                path: "messages.\(messages.count - 1)",
                reason: "a chat cannot go on from words put into the assistant's mouth")
        }
        json.key("messages")
        try json.array { list in
            if let system = request["system"], !system.isNull { try write(system: system, "system", &list) }
            for (index, message) in messages.enumerated() {
                try write(message, "messages.\(index)", &list)
            }
        }
    }

    private func write(_ message: JSON, _ path: String, _ list: inout JSONWriter) throws {
        guard let content = message["content"], [.string, .array].contains(content.kind) else {
            throw Unmappable(path: "\(path).content", reason: "neither a text nor an array of blocks")
        }
        switch message["role"]?.string {
        case "user": try write(user: content, "\(path).content", &list)
        case "assistant": try write(assistant: content, "\(path).content", &list)
        case "system": try write(system: content, "\(path).content", &list)
        default: throw Unmappable(path: "\(path).role", reason: "only user, assistant and system are known")
        }
    }

    private func write(system: JSON, _ path: String, _ list: inout JSONWriter) throws {
        let text = try words(of: system, path)
        if !text.isEmpty { Self.write("system", text, &list) }
    }

    /// Results of tools are messages of their own, and come first: they answer the assistant's calls.
    private func write(user content: JSON, _ path: String, _ list: inout JSONWriter) throws {
        if let text = content.string { return Self.write("user", text, &list) }
        var parts: [JSON] = []
        for (index, block) in (content.elements ?? []).enumerated() {
            if block["type"]?.string == "tool_result" {
                try write(result: block, "\(path).\(index)", &list)
            } else {
                parts.append(block)
            }
        }
        guard !parts.isEmpty else { return }
        if parts.count == 1, parts[0]["type"]?.string == "text", let text = parts[0]["text"]?.string {
            return Self.write("user", text, &list)
        }
        try list.object { json in
            json.field("role", "user")
            json.key("content")
            try json.array { list in
                for (index, part) in parts.enumerated() { try write(part: part, "\(path).\(index)", &list) }
            }
        }
    }

    private func write(result: JSON, _ path: String, _ list: inout JSONWriter) throws {
        guard let id = result["tool_use_id"]?.string else {
            throw Unmappable(path: "\(path).tool_use_id", reason: "a result needs the id of its call")
        }
        let text = try result["content"].map { try words(of: $0, "\(path).content") } ?? ""
        list.object { json in
            json.field("role", "tool")
            json.field("tool_call_id", id)
            json.field("content", result["is_error"]?.bool == true ? "Error: " + text : text)
        }
    }

    private func write(assistant content: JSON, _ path: String, _ list: inout JSONWriter) throws {
        if let text = content.string { return Self.write("assistant", text, &list) }
        var text = ""
        var calls: [JSON] = []
        for (index, block) in (content.elements ?? []).enumerated() {
            switch block["type"]?.string {
            case "text": text += block["text"]?.string ?? ""
            case "tool_use": calls.append(block)
            case "thinking", "redacted_thinking": continue
            default: throw Self.unknown(block, "\(path).\(index)")
            }
        }
        guard !calls.isEmpty else { return Self.write("assistant", text, &list) }
        list.object { json in
            json.field("role", "assistant")
            json.field("content", text.isEmpty ? nil : text)
            json.key("tool_calls")
            json.array { list in for call in calls { Self.write(call: call, &list) } }
        }
    }

    private static func write(call: JSON, _ list: inout JSONWriter) {
        list.object { json in
            json.field("id", call["id"]?.string ?? "")
            json.field("type", "function")
            json.key("function")
            json.object { json in
                json.field("name", call["name"]?.string ?? "")
                json.field("arguments", call["input"].map { String(decoding: $0.raw, as: UTF8.self) } ?? "{}")
            }
        }
    }

    private static func write(_ role: String, _ text: String, _ list: inout JSONWriter) {
        list.object { json in
            json.field("role", role)
            json.field("content", text)
        }
    }

    /// A text, or text blocks joined by line feeds: all that a system prompt or a tool's result can be here.
    private func words(of content: JSON, _ path: String) throws -> String {
        if let text = content.string { return text }
        guard let blocks = content.elements else {
            throw Unmappable(path: path, reason: "neither a text nor an array of blocks")
        }
        return try blocks.enumerated().map { index, block in
            guard block["type"]?.string == "text" else { throw Self.unknown(block, "\(path).\(index)") }
            return block["text"]?.string ?? ""
        }.joined(separator: "\n")
    }

    static func unknown(_ block: JSON, _ path: String) -> Unmappable {
        let type = block["type"]?.string ?? "?"
        return Unmappable(path: path, reason: "a chat cannot hold a block of type “\(excerpt(type))” here")
    }
}
