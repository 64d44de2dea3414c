package import JSON

/// The most tokens that a request's prompt can be, told from its bytes alone.
///
/// A token is at least one byte of text, whatever the model's tokenizer does; what the provider adds by itself
/// (roles, tool instructions) is bounded by the constants below, generously. Where the request points elsewhere
/// (a file, a document's address, server tools) only the model's context window bounds it.
package struct CostBound: Hashable, Sendable {
    /// The dearest way in which a prompt's tokens may be charged.
    package enum CacheWrites: Int, Sendable {
        case none
        case fiveMinutes
        case oneHour
    }

    /// Nil where only the context window bounds it.
    package var inputTokens: Int64?
    package var writes: CacheWrites
    /// Searches on the web, each with a fee; nil where the request lets the model search as often as it likes.
    package var webSearches: Int64?

    package init(inputTokens: Int64?, writes: CacheWrites, webSearches: Int64? = 0) {
        self.inputTokens = inputTokens
        self.writes = writes
        self.webSearches = webSearches
    }

    /// For a request of which nothing is known.
    package static let unknown = CostBound(inputTokens: nil, writes: .oneHour, webSearches: nil)

    /// The bound of a Messages request.
    package init(request: JSON) {
        var measure = PromptMeasure()
        measure.add(request: request)
        self.init(
            inputTokens: measure.pointsElsewhere ? nil : measure.tokens,
            writes: request.raw.mentions(#""cache_control""#)
                ? request.raw.mentions(#""1h""#) ? .oneHour : .fiveMinutes : .none,
            webSearches: Self.webSearches(request))
    }

    /// More than anybody means by a limit; it counts as none.
    private static let mostSearches: Int64 = 1_000_000

    private static func webSearches(_ request: JSON) -> Int64? {
        var sum: Int64 = 0
        for tool in request["tools"]?.elements ?? []
        where tool["type"]?.string?.hasPrefix("web_search_") == true {
            guard let most = tool["max_uses"]?.int.map(Int64.init), most <= mostSearches else { return nil }
            sum += max(0, most)
        }
        return sum
    }
}

/// Adds up what each part of a request can be in tokens.
private struct PromptMeasure {
    var tokens: Int64 = 0
    var pointsElsewhere = false

    /// What frames a request, and each message or block in it.
    private static let perRequest = 16
    private static let perMessage = 8
    private static let perBlock = 4
    /// The hidden instructions that come with tools (588 at most where published), and with a schema for the answer.
    private static let forTools = 700
    private static let perTool = 16
    private static let forSchema = 300
    /// Images are scaled down before they are read: none is above this.
    private static let perImage = 5_000
    /// A tool that the provider defines (bash, text editor) brings a description of its own.
    private static let perKnownTool = 1_500
    /// Members that shape the answer or the bill but are no part of the prompt.
    private static let apart: Set<String> = [
        "model", "max_tokens", "stream", "metadata", "temperature", "top_p", "top_k", "stop_sequences",
        "service_tier", "inference_geo", "speed", "tool_choice", "cache_control",
    ]

    mutating func add(request: JSON) {
        tokens += Int64(Self.perRequest)
        for (name, value) in request.members ?? [] where !Self.apart.contains(name) {
            switch name {
            case "messages": for message in value.elements ?? [] { add(message: message) }
            case "system": add(message: nil, content: value)
            case "tools": add(tools: value)
            case "output_config", "output_format": add(value.raw.count + Self.forSchema)
            case "mcp_servers", "container": pointsElsewhere = pointsElsewhere || !value.isNull
            default: add(value.raw.count)
            }
        }
    }

    private mutating func add(_ amount: Int) { tokens += Int64(amount) }

    private mutating func add(message: JSON?, content: JSON? = nil) {
        add(Self.perMessage)
        if let content = content ?? message?["content"] { add(content: content) }
    }

    private mutating func add(content: JSON) {
        if let text = content.string { return add(text.utf8.count) }
        for block in content.elements ?? [] { add(block: block) }
    }

    private mutating func add(block: JSON) {
        add(Self.perBlock)
        switch block["type"]?.string {
        case "text":
            add(block["text"]?.string?.utf8.count ?? block.raw.count)
            add(block["citations"]?.raw.count ?? 0)
        case "image": add(Self.perImage)
        case "document": add(document: block)
        case "tool_result":
            add(Self.perMessage)
            if let content = block["content"] { add(content: content) }
        case "container_upload": pointsElsewhere = true
        default: add(block.raw.count)
        }
    }

    /// Only text given here is bounded by its bytes: a PDF's are compressed.
    private mutating func add(document: JSON) {
        add((document["title"]?.raw.count ?? 0) + (document["context"]?.raw.count ?? 0))
        let source = document["source"]
        switch source?["type"]?.string {
        case "text": add(source?["data"]?.string?.utf8.count ?? document.raw.count)
        case "content": if let content = source?["content"] { add(content: content) }
        default: pointsElsewhere = true
        }
    }

    private mutating func add(tools: JSON) {
        guard let list = tools.elements, !list.isEmpty else { return }
        add(Self.forTools)
        for tool in list {
            add(tool.raw.count + Self.perTool)
            guard let type = tool["type"]?.string, type != "custom" else { continue }
            let isOurs = ["bash_", "text_editor_", "memory_", "computer_"].contains { type.hasPrefix($0) }
            if isOurs { add(Self.perKnownTool) } else { pointsElsewhere = true }
        }
    }
}

extension ArraySlice<UInt8> {
    /// Whether these bytes, which begin with a quote, stand in here.
    fileprivate func mentions(_ text: StaticString) -> Bool {
        let needle = Array("\(text)".utf8)
        guard count >= needle.count, let first = needle.first else { return false }
        for start in startIndex...(endIndex - needle.count) where self[start] == first {
            if self[start..<start + needle.count].elementsEqual(needle) { return true }
        }
        return false
    }
}
