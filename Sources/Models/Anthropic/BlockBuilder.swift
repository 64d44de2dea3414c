import JSON

/// One content block as its deltas make it.
struct BlockBuilder {
    private var members: Members
    private var text: [String: String] = [:]
    private var citations: [[UInt8]] = []
    private var input: [UInt8] = []

    /// Nil for anything but an object.
    init?(_ start: JSON) {
        guard let members = Members(start) else { return nil }
        self.members = members
        for key in ["text", "thinking"] { text[key] = start[key]?.string }
        citations = start["citations"]?.elements?.map { Array($0.raw) } ?? []
    }

    /// Returns how many bytes of answer the delta brought.
    mutating func apply(_ delta: JSON) -> Int {
        switch delta["type"]?.string {
        case "text_delta": return append(delta, "text")
        case "thinking_delta": return append(delta, "thinking")
        case "input_json_delta":
            let piece = delta["partial_json"]?.string ?? ""
            input += piece.utf8
            return piece.utf8.count
        case "signature_delta":
            // The one delta that replaces.
            if let signature = delta["signature"] { members["signature"] = Array(signature.raw) }
            return delta["signature"]?.raw.count ?? 0
        case "citations_delta":
            if let citation = delta["citation"] { citations.append(Array(citation.raw)) }
            return delta["citation"]?.raw.count ?? 0
        default: return 0
        }
    }

    private mutating func append(_ delta: JSON, _ key: String) -> Int {
        let piece = delta[key]?.string ?? ""
        text[key, default: ""] += piece
        return piece.utf8.count
    }

    var json: [UInt8] {
        var members = members
        for (key, value) in text.sorted(by: { $0.key < $1.key }) { members[key] = quoted(value) }
        if !citations.isEmpty { members["citations"] = jsonArray(citations) }
        if !input.isEmpty { members["input"] = wholeInput }
        return members.json
    }

    /// It is three levels deep in its Message, which is to be read whole.
    private static let deepest = JSON.deepest - 3

    private var wholeInput: [UInt8] {
        (try? JSON.parse(input, maxDepth: Self.deepest)) != nil ? input : invalidInput(input)
    }

    private func quoted(_ value: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.string(value)
        return writer.bytes
    }
}

/// A tool's input that ended amid a value (at `max_tokens`, or unchecked by request) is kept as a text.
///
/// The name is the one that Anthropic's documentation of fine-grained tool streaming suggests.
func invalidInput(_ input: [UInt8]) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { $0.field("INVALID_JSON", String(decoding: input, as: UTF8.self)) }
    return writer.bytes
}
