import JSON

/// A request for a message that has passed validation.
struct MessagesCall: Sendable {
    /// One tool a caller defined; server tools have no schema.
    struct Tool: Sendable {
        let name: String
        let schema: JSON?
    }

    enum ToolChoice: Sendable, Equatable {
        case auto, any, none
        case tool(String)

        var isForced: Bool { self != .auto && self != .none }
    }

    let model: Model
    /// The model as the caller spelled it.
    let modelName: String
    let body: JSON
    let maxTokens: Int
    let isStream: Bool
    let system: String
    let messages: [Turn]
    let stopSequences: [String]
    let tools: [Tool]
    let toolChoice: ToolChoice
    /// What `output_config.format` asks for.
    let schema: JSON?
    let isThinking: Bool
    /// The answer shall be a summary of the conversation, and nothing else.
    let isCompaction: Bool
    /// The conversation lives here under the answer's id.
    let thread: Thread?
    /// The answer must come from within the United States.
    let isInUS: Bool
    /// The whole prompt, without regard to caching.
    var promptTokens: Int

    /// Where a conversation begins, or which answer it goes on from.
    enum Thread: Sendable, Equatable {
        case create
        case goOn(from: String)
    }

    /// As many as the tool for them allows.
    func searches(wanted: Int) -> Int {
        let tool = body["tools"]?.elements?.first { $0["type"]?.string?.hasPrefix("web_search_") == true }
        return tool.map { min(wanted, $0["max_uses"]?.int ?? wanted) } ?? 0
    }

    /// What the user said last: what an answer is about.
    var question: String { messages.last { $0.role == "user" }?.text ?? "" }
}

/// One message, its text blocks joined by newlines.
struct Turn: Sendable {
    let role: String
    let text: String
    let tokens: Int
}

extension MessagesCall {
    /// Counting takes what a message takes, but for the members that shape only the answer.
    enum Purpose { case message, counting }

    /// Throws in the order in which a client would fix things: envelope, model, fields, size.
    ///
    /// The other dialect's structured outputs take limits of numbers, texts and lists.
    init(
        parsing bytes: [UInt8], version: APIVersion, for purpose: Purpose, takesLimits: Bool = false
    ) throws(APIError) {
        let body = try Self.parse(bytes)
        try Validation.fields(of: body, purpose)
        let modelName = try Validation.modelName(body)
        guard let model = ModelCatalog.model(named: modelName), !model.isRetired else {
            throw APIError(404, "not_found_error", "model: \(modelName)")
        }
        let maxTokens = purpose == .message ? try Validation.maxTokens(body, model) : 0
        let messages = try Validation.messages(body, model)
        try Validation.sampling(body, model, version)
        try Validation.billing(body)
        let tools = try Validation.tools(body)
        let toolChoice = try Validation.toolChoice(body, tools)
        let system = try Validation.system(body)
        let toolTokens =
            tools.isEmpty
            ? 0
            : model.toolTokens(isForced: toolChoice.isForced)
                + TokenCount.text(bytes: body["tools"]?.raw.count ?? 0)
        let schema = try Validation.schema(body, takesLimits: takesLimits)
        let schemaTokens = schema.map { TokenCount.text(bytes: $0.raw.count) } ?? 0
        let tokens =
            TokenCount.perRequest + TokenCount.text(system) + toolTokens + schemaTokens
            + messages.reduce(0) { $0 + $1.tokens }
        self.init(
            model: model, modelName: modelName, body: body, maxTokens: maxTokens,
            isStream: try Validation.bool(body, "stream"), system: system, messages: messages,
            stopSequences: try Validation.stopSequences(body), tools: tools, toolChoice: toolChoice,
            schema: schema, isThinking: try Validation.thinking(body, model, maxTokens: maxTokens),
            isCompaction: try Validation.isCompaction(body), thread: try Validation.thread(body),
            isInUS: try Validation.isInUS(body, model),
            promptTokens: model.isFinelyTokenized ? tokens * 13 / 10 : tokens)
        guard promptTokens <= model.contextWindow else {
            throw .invalid("prompt is too long: \(promptTokens) tokens > \(model.contextWindow) maximum")
        }
    }

    /// The body of a request: an object.
    static func parse(_ bytes: [UInt8]) throws(APIError) -> JSON {
        let body: JSON
        do { body = try JSON.parse(bytes) } catch {
            throw .invalid("The request body is not valid JSON: \(error.message)")
        }
        guard body.kind == .object else { throw .invalid("The request body must be a JSON object") }
        return body
    }
}

/// The two live versions of the API; the client's library decides which one is sent.
enum APIVersion: String, Sendable {
    case v2023 = "2023-06-01"
    case v2026 = "2026-10-21"
}
