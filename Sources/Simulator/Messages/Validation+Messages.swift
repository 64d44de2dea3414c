import JSON

/// The conversation: roles, blocks and their tokens.
extension Validation {
    /// More in one request are refused.
    private static let maximumMessages = 100_000

    static func messages(_ body: JSON, _ model: Model) throws(APIError) -> [Turn] {
        guard let value = body["messages"] else { throw .invalid("messages: Field required") }
        guard let elements = value.elements else { throw .invalid("messages: Input should be a valid list") }
        guard !elements.isEmpty else { throw .invalid("messages: at least one message is required") }
        guard elements.count <= maximumMessages else { throw .invalid("messages: too many messages") }
        var turns: [Turn] = []
        for (index, element) in elements.enumerated() {
            turns.append(try turn(element, "messages.\(index)", isLast: index == elements.count - 1))
        }
        guard turns[0].role != "assistant" else {
            throw .invalid("messages: first message must use the \"user\" role")
        }
        if turns.last?.role == "assistant", model.generation >= .claude46 {
            throw .invalid("This model does not support assistant message prefill.")
        }
        return turns
    }

    static func system(_ body: JSON) throws(APIError) -> String {
        guard let value = body["system"], !value.isNull else { return "" }
        if let text = value.string { return text }
        guard let blocks = value.elements else {
            throw .invalid("system: Input should be a valid string or list")
        }
        var texts: [String] = []
        for (index, block) in blocks.enumerated() {
            guard block["type"]?.string == "text", let text = block["text"]?.string else {
                throw .invalid("system.\(index): Input should be a text block")
            }
            guard !text.isEmpty else { throw .invalid("system: text content blocks must be non-empty") }
            texts.append(text)
        }
        return texts.joined(separator: "\n")
    }

    private static func turn(_ message: JSON, _ path: String, isLast: Bool) throws(APIError) -> Turn {
        guard message.kind == .object else { throw .invalid("\(path): Input should be an object") }
        guard let role = message["role"]?.string, ["user", "assistant", "system"].contains(role) else {
            throw .invalid("\(path).role: Input should be 'user' or 'assistant'")
        }
        guard let content = message["content"] else { throw .invalid("\(path).content: Field required") }
        if let text = content.string {
            guard !text.isEmpty || (isLast && role == "assistant") else {
                throw .invalid("\(path): \(role) messages must have non-empty content")
            }
            return Turn(role: role, text: text, tokens: TokenCount.perMessage + TokenCount.text(text))
        }
        guard let elements = content.elements else {
            throw .invalid("\(path).content: Input should be a valid string or list")
        }
        guard !elements.isEmpty else {
            throw .invalid("\(path): \(role) messages must have non-empty content")
        }
        return try turn(of: elements, role, path)
    }

    private static func turn(of elements: [JSON], _ role: String, _ path: String) throws(APIError) -> Turn {
        var texts: [String] = []
        var tokens = TokenCount.perMessage
        for (index, element) in elements.enumerated() {
            let read = try block(element, "\(path).content.\(index)")
            if let text = read.text { texts.append(text) }
            tokens += read.tokens
        }
        return Turn(role: role, text: texts.joined(separator: "\n"), tokens: tokens)
    }

    private static func block(_ block: JSON, _ path: String) throws(APIError) -> (text: String?, tokens: Int)
    {
        switch block["type"]?.string {
        case "text":
            guard let text = block["text"]?.string else { throw .invalid("\(path).text: Field required") }
            guard !text.isEmpty else { throw .invalid("messages: text content blocks must be non-empty") }
            return (text, TokenCount.text(text))
        case "image":
            _ = try source(of: block, path)
            return (nil, TokenCount.image)
        case "document":
            let source = try source(of: block, path)
            let bytes = source["data"]?.raw.count ?? source["content"]?.raw.count ?? 0
            return (nil, TokenCount.document(base64: bytes))
        case "tool_result":
            guard block["tool_use_id"]?.string != nil else {
                throw .invalid("\(path).tool_use_id: Field required")
            }
            let content = block["content"]
            return (content?.string, TokenCount.text(bytes: content?.raw.count ?? 0))
        case nil: throw .invalid("\(path).type: Field required")
        default: return (nil, TokenCount.text(bytes: block.raw.count))
        }
    }

    private static func source(of block: JSON, _ path: String) throws(APIError) -> JSON {
        guard let source = block["source"], source["type"]?.string != nil else {
            throw .invalid("\(path).source: Field required")
        }
        return source
    }
}
