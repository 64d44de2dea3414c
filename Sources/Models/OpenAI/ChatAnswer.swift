import JSON
import Jobs

/// What a chat completion has said, whole or so far; it becomes a Message.
struct ChatAnswer {
    struct ToolCall {
        var id: String
        var name: String
        var arguments: String
    }

    /// What is assumed if the provider does not say it: local servers leave out this and that.
    struct Assumed {
        var model: String
        /// Bytes of the request, to guess its tokens by.
        var requestBytes: Int
    }

    let assumed: Assumed
    var id: String?
    var model: String?
    var text = ""
    var refusal: String?
    var toolCalls: [ToolCall] = []
    var finishReason: String?
    var usage: ChatUsage?

    init(assuming assumed: Assumed) {
        self.assumed = assumed
    }

    /// Throws if it is not whole, or ended in a way that no Message ends.
    func message() throws(NotAMessage) -> Answer {
        let stopReason = try stopReason()
        let usage = usage ?? guess
        let model = model ?? assumed.model
        var json = JSONWriter()
        json.object { json in
            json.field("id", id ?? "chatcmpl")
            json.field("type", "message")
            json.field("role", "assistant")
            json.field("model", model)
            json.key("content")
            json.array { write(content: &$0) }
            json.field("stop_reason", stopReason)
            json.field("stop_sequence", nil as String?)
            json.key("usage")
            usage.write(&json)
        }
        return Answer(body: json.bytes, model: model, usage: usage.usage, stopReason: stopReason)
    }

    /// What was billed so far: a guess until the provider has counted, nil before anything came.
    var usageSoFar: Usage? {
        if let usage { return usage.usage }
        guard textBytes > 0 || finishReason != nil else { return nil }
        var guessed = guess.usage
        guessed.isComplete = false
        return guessed
    }

    /// Whether it says anything yet: the first chunk of a stream only names the role.
    var hasBegun: Bool { !toolCalls.isEmpty || usageSoFar != nil }

    /// Bytes of text and arguments received.
    var textBytes: Int {
        text.utf8.count + (refusal?.utf8.count ?? 0) + toolCalls.reduce(0) { $0 + $1.arguments.utf8.count }
    }

    private var guess: ChatUsage {
        ChatUsage(guessedFrom: assumed.requestBytes, answerBytes: textBytes)
    }

    private func stopReason() throws(NotAMessage) -> String {
        if refusal?.isEmpty == false { return "refusal" }
        switch finishReason {
        // Some servers say `stop` if their answer is a call.
        case "stop", "eos", "eos_token", "stop_sequence": return toolCalls.isEmpty ? "end_turn" : "tool_use"
        case "tool_calls", "function_call": return "tool_use"
        case "length": return "max_tokens"
        case "content_filter": return "refusal"
        case let other?:
            throw NotAMessage(reason: "the answer ended by “\(excerpt(other))”", usage: usageSoFar)
        case nil: throw NotAMessage(reason: "the answer has no finish_reason", usage: usageSoFar)
        }
    }

    private func write(content list: inout JSONWriter) {
        let words = text.isEmpty ? refusal ?? "" : text
        if !words.isEmpty {
            list.object { json in
                json.field("type", "text")
                json.field("text", words)
            }
        }
        for call in toolCalls {
            list.object { json in
                json.field("type", "tool_use")
                json.field("id", call.id)
                json.field("name", call.name)
                json.field("input", raw: toolInput(Array(call.arguments.utf8)))
            }
        }
    }
}

/// A tool's arguments as its input: nothing is an empty object, and what is no object is kept as a text.
private func toolInput(_ arguments: [UInt8]) -> [UInt8] {
    guard arguments.contains(where: { !" \t\r\n".utf8.contains($0) }) else { return Array("{}".utf8) }
    let parsed = try? JSON.parse(arguments, maxDepth: JSON.deepest)
    if parsed?.isNull == true { return Array("{}".utf8) }
    return parsed?.kind == .object ? arguments : invalidInput(arguments)
}
