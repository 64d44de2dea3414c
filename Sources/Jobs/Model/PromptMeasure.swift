import JSON

/// Adds up what each part of a request can be in tokens, and notes what its bytes cannot tell.
///
/// What is not known is never assumed harmless: a member that is not listed here may point to a conversation of any length.
struct PromptMeasure {
    var tokens: Int64 = 0
    /// Its length cannot be computed from its bytes: a compressed document, a tool of the provider's, and whatever is
    /// not known.
    var isUnbounded = false
    /// Something that shapes the answer lives elsewhere, or may.
    var pointsElsewhere = false
    /// Something in it is not known, and may do anything.
    var hasUnknown = false

    /// What frames a request, and each message or block in it.
    private static let perRequest = 16
    private static let perMessage = 8
    private static let perBlock = 4
    /// The hidden instructions that come with tools (588 at most if published), and with a schema for the answer.
    private static let forTools = 700
    private static let perTool = 16
    private static let forSchema = 300
    /// Images are scaled down before they are read: none is above this.
    private static let perImage = 5_000
    /// A tool that the provider defines (bash, text editor) brings a description of its own.
    private static let perKnownTool = 1_500

    mutating func add(request: JSON) {
        add(Self.perRequest)
        for (name, value) in request.members ?? [] where !value.isNull && !Self.apart.contains(name) {
            switch name {
            case "messages": for message in value.elements ?? [] { add(message: message) }
            case "system":
                add(Self.perMessage)
                add(content: value)
            case "tools": add(tools: value)
            case "output_config", "output_format": add(output: value)
            case "thinking": add(value.raw.count)
            case "context_management": add(edits: value)
            case "mcp_servers", "container": pointElsewhere()
            // They name an earlier answer, or are good for one call alone; neither lengthens the prompt.
            case "diagnostics", "fallback_credit_token", "billing_policy": pointsElsewhere = true
            default: addUnknown()
            }
        }
    }
}

// MARK: - What is known

extension PromptMeasure {
    /// Members that shape the answer or the bill but are no part of the prompt.
    private static let apart: Set<String> = [
        "model", "max_tokens", "stream", "metadata", "temperature", "top_p", "top_k", "stop_sequences",
        "service_tier", "inference_geo", "speed", "tool_choice", "cache_control",
    ]

    /// Blocks whose bytes bound their tokens, whatever is in them.
    private static let plain: Set<String> = [
        "tool_use", "thinking", "redacted_thinking", "search_result", "tool_reference", "compaction",
        "server_tool_use", "web_search_tool_result", "web_fetch_tool_result", "code_execution_tool_result",
        "bash_code_execution_tool_result", "text_editor_code_execution_tool_result",
        "tool_search_tool_result", "mcp_tool_use", "mcp_tool_result",
    ]

    /// Members of the blocks that are measured by parts.
    private static let ofBlocks: [String: Set<String>] = [
        "text": ["type", "text", "citations", "cache_control"],
        "image": ["type", "source", "cache_control"],
        "document": ["type", "source", "title", "context", "citations", "cache_control"],
        "tool_result": ["type", "tool_use_id", "content", "is_error", "cache_control", "toolset_name"],
    ]

    private mutating func add(_ amount: Int) { tokens += Int64(amount) }

    private mutating func pointElsewhere() {
        isUnbounded = true
        pointsElsewhere = true
    }

    private mutating func addUnknown() {
        hasUnknown = true
        pointElsewhere()
    }

    private mutating func note(_ object: JSON, knows known: Set<String>) {
        let isKnown = object.members?.allSatisfy { known.contains($0.key) || $0.value.isNull }
        if isKnown == false { addUnknown() }
    }
}

// MARK: - The parts

extension PromptMeasure {
    private mutating func add(message: JSON) {
        add(Self.perMessage)
        note(message, knows: ["role", "content"])
        if let content = message["content"] { add(content: content) }
    }

    private mutating func add(content: JSON) {
        if let bytes = content.stringBytes { return add(bytes) }
        for block in content.elements ?? [] { add(block: block) }
    }

    private mutating func add(block: JSON) {
        add(Self.perBlock)
        let type = block["type"]?.string ?? ""
        if let known = Self.ofBlocks[type] { note(block, knows: known) }
        switch type {
        case "text":
            add(block["text"]?.stringBytes ?? block.raw.count)
            add(block["citations"]?.raw.count ?? 0)
        case "image":
            add(Self.perImage)
            if block["source"]?["type"]?.string != "base64" { pointsElsewhere = true }
        case "document": add(document: block)
        case "tool_result":
            add(Self.perMessage)
            if let content = block["content"] { add(content: content) }
        case "container_upload": pointElsewhere()
        case _ where Self.plain.contains(type): add(block.raw.count)
        default: addUnknown()
        }
    }

    /// Only text given here is bounded by its bytes: a PDF's are compressed.
    private mutating func add(document: JSON) {
        add((document["title"]?.raw.count ?? 0) + (document["context"]?.raw.count ?? 0))
        let source = document["source"]
        switch source?["type"]?.string {
        case "text": add(source?["data"]?.stringBytes ?? document.raw.count)
        case "content": if let content = source?["content"] { add(content: content) }
        case "base64": isUnbounded = true
        default: pointElsewhere()
        }
    }

    private mutating func add(output: JSON) {
        note(output, knows: ["effort", "format", "task_budget", "type", "schema", "name"])
        add(output.raw.count + Self.forSchema)
    }

    /// What only clears a prompt makes it no longer; a summary is a call of its own.
    private mutating func add(edits: JSON) {
        note(edits, knows: ["edits"])
        add(edits.raw.count)
        for edit in edits["edits"]?.elements ?? [] where edit["type"]?.string?.hasPrefix("clear_") != true {
            addUnknown()
        }
    }

    private mutating func add(tools: JSON) {
        guard let list = tools.elements, !list.isEmpty else { return }
        add(Self.forTools)
        for tool in list {
            add(tool.raw.count + Self.perTool)
            guard let type = tool["type"]?.string, type != "custom" else { continue }
            let isOurs = ["bash_", "text_editor_", "memory_", "computer_"].contains { type.hasPrefix($0) }
            if isOurs { add(Self.perKnownTool) } else { isUnbounded = true }
        }
    }
}
