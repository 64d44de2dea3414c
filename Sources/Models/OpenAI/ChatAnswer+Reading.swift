import JSON
import Jobs

extension ChatAnswer {
    /// Reads a whole chat completion; what it cannot be is thrown with what it says was used.
    init(whole completion: JSON, assuming assumed: Assumed) throws(NotAMessage) {
        self.init(assuming: assumed)
        note(completion)
        guard let choice = completion["choices"]?[0], let message = choice["message"], message.kind == .object
        else { throw NotAMessage(reason: "the answer is not a chat completion", usage: usage?.usage) }
        add(message)
        finishReason = choice["finish_reason"]?.string
    }

    /// Reads one chunk of a stream; only the first choice counts, as no more than one is ever asked for.
    mutating func take(chunk: JSON) {
        note(chunk)
        let choice = chunk["choices"]?.elements?.first { ($0["index"]?.int ?? 0) == 0 }
        if let delta = choice?["delta"] { add(delta) }
        finishReason = choice?["finish_reason"]?.string ?? finishReason
    }

    /// What comes beside the choices, in every chunk or in the last one.
    private mutating func note(_ object: JSON) {
        id = id ?? object["id"]?.string
        if let name = object["model"]?.string, !name.isEmpty { model = name }
        usage = object["usage"].flatMap(ChatUsage.init) ?? usage
    }

    private mutating func add(_ part: JSON) {
        text += Self.text(of: part["content"])
        if let words = part["refusal"]?.string { refusal = (refusal ?? "") + words }
        for call in part["tool_calls"]?.elements ?? [] { add(call: call) }
        if let call = part["function_call"], call.kind == .object { add(function: call, at: 0, id: nil) }
    }

    /// A text, or the texts of its parts, as some relays send it.
    private static func text(of content: JSON?) -> String {
        if let text = content?.string { return text }
        return (content?.elements ?? []).compactMap { $0["text"]?.string }.joined()
    }

    /// Fragments of a call carry its index; servers that leave it out send whole calls, each with its id.
    private mutating func add(call: JSON) {
        let id = call["id"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        let index =
            call["index"]?.int ?? (id == nil && !toolCalls.isEmpty ? toolCalls.count - 1 : toolCalls.count)
        add(function: call["function"], at: index, id: id)
    }

    private mutating func add(function: JSON?, at index: Int, id: String?) {
        let position = min(max(0, index), toolCalls.count)
        if position == toolCalls.count {
            toolCalls.append(ToolCall(id: "call_\(position)", name: "", arguments: ""))
        }
        if let id { toolCalls[position].id = id }
        toolCalls[position].name += function?["name"]?.string ?? ""
        // Ollama's own form has an object where the dialect has its text.
        let arguments = function?["arguments"]
        if let text = arguments?.string {
            toolCalls[position].arguments += text
        } else if let arguments, arguments.kind == .object {
            toolCalls[position].arguments = String(decoding: arguments.raw, as: UTF8.self)
        }
    }
}
