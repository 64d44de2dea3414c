import JSON

/// A Messages request as people read it: the instructions and each turn whole, what is no text by its kind.
enum PromptText {
    static func text(_ request: JSON) -> String {
        var parts: [String] = []
        if let system = request["system"], !system.isNull { parts.append(turn("system", system)) }
        for message in request["messages"]?.elements ?? [] {
            parts.append(turn(message.text("role"), message["content"]))
        }
        return parts.joined(separator: "\n")
    }

    private static func turn(_ role: String, _ content: JSON?) -> String {
        let text = content?.string ?? (content?.elements ?? []).map(block).joined(separator: "\n")
        return "\(Text.oneLine(role, limit: 40)):\n" + indented(text)
    }

    private static func block(_ block: JSON) -> String {
        if let text = block["text"]?.string { return text }
        let raw = String(decoding: block.raw, as: UTF8.self)
        switch block.text("type") {
        case "tool_use", "tool_result": return raw
        case let kind: return "[\(kind), \(Text.bytes(raw.utf8.count))]"
        }
    }

    /// Line ends stay; nothing else may steer the terminal.
    static func indented(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { "  " + Text.oneLine(String($0), limit: .max) }.joined(separator: "\n")
    }
}
