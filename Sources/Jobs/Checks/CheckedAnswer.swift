import JSON

/// A Message as checks see it.
struct CheckedAnswer {
    /// The text blocks, joined, without the white space around them.
    let text: String
    let calls: [Call]
    private let stopReason: String

    struct Call {
        let name: String
        let input: JSON
    }

    struct Fault: Error {
        let message: String
    }

    init(_ message: JSON) {
        let blocks = message["content"]?.elements ?? []
        text =
            blocks.filter { $0["type"]?.string == "text" }.compactMap { $0["text"]?.string }.joined().trimmed
        calls = blocks.compactMap { block in
            guard block["type"]?.string == "tool_use", let input = block["input"] else { return nil }
            return Call(name: block["name"]?.string ?? "", input: input)
        }
        stopReason = message["stop_reason"]?.string ?? ""
    }

    var isRefusal: Bool { stopReason == "refusal" }

    /// Why an answer that fails may have failed.
    var cut: String? {
        switch stopReason {
        case "max_tokens": "it was cut at max_tokens"
        case "model_context_window_exceeded": "it was cut at the end of the context window"
        default: nil
        }
    }

    /// The JSON that the text is, or, if there is no text, the input of the one tool call.
    var json: Result<JSON, Fault> {
        if text.isEmpty, calls.count == 1 { return .success(calls[0].input) }
        guard !text.hasPrefix("```") else {
            return .failure(Fault(message: "the answer must be JSON alone, without a fence around it"))
        }
        do {
            return .success(try JSON.parse(Array(text.utf8)))
        } catch {
            return .failure(Fault(message: "the answer must be JSON and nothing else: \(error.message)"))
        }
    }
}
