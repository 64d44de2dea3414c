import JSON

/// The arguments of a call: a text in chat completions, an object in Messages.
///
/// A text that is no object, as where `max_tokens` cut it, goes under the name that Anthropic's documentation of
/// fine-grained tool streaming suggests, so that the model sees what it said; on the way back it is that text again.
enum ToolArguments {
    private static let unreadable = "INVALID_JSON"

    static func input(_ arguments: String) -> [UInt8] {
        let bytes = Array(arguments.utf8)
        if bytes.allSatisfy({ " \t\r\n".utf8.contains($0) }) { return Array("{}".utf8) }
        if (try? JSON.parse(bytes, maxDepth: JSON.deepest))?.kind == .object { return bytes }
        var writer = JSONWriter()
        writer.object { $0.field(unreadable, arguments) }
        return writer.bytes
    }

    static func text(of input: JSON?) -> String {
        guard let input else { return "{}" }
        if input.count == 1, let text = input[unreadable]?.string { return text }
        return String(decoding: input.raw, as: UTF8.self)
    }
}
