import JSON

/// The messages of a chat as a system prompt and turns.
struct ChatConversation {
    private struct Turn {
        var role: String
        /// Content blocks, as JSON.
        var blocks: [[UInt8]]
    }

    private var system: [String] = []
    private var turns: [Turn] = []

    init(_ messages: [JSON]) throws(APIError) {
        for (index, message) in messages.enumerated() {
            let path = "messages[\(index)]"
            switch message["role"]?.string {
            case "system", "developer": system += Self.texts(message["content"])
            case "user": add("user", try Self.parts(message["content"], path))
            case "assistant": add("assistant", try Self.texts(of: message, path))
            case "tool":
                guard let id = message["tool_call_id"]?.string else {
                    throw .invalid("Missing parameter '\(path).tool_call_id'")
                }
                guard isCalled(id) else {
                    throw .invalid(
                        "\(path): messages with role 'tool' must be a response to a preceding message with 'tool_calls'."
                    )
                }
                add("user", [Self.result(id, Self.texts(message["content"]).joined(separator: "\n"))])
            default: throw .invalid("Invalid value for '\(path).role'")
            }
        }
    }

    func write(_ json: inout JSONWriter) {
        if !system.isEmpty { json.field("system", system.joined(separator: "\n")) }
        json.key("messages")
        json.array { list in
            for turn in turns {
                list.object { json in
                    json.field("role", turn.role)
                    json.key("content")
                    json.array { list in for block in turn.blocks { list.raw(block) } }
                }
            }
        }
    }

    private mutating func add(_ role: String, _ blocks: [[UInt8]]) {
        if let last = turns.last, last.role == role {
            turns[turns.count - 1].blocks += blocks
        } else {
            turns.append(Turn(role: role, blocks: blocks))
        }
    }

    private func isCalled(_ id: String) -> Bool {
        turns.contains { turn in
            turn.role == "assistant" && turn.blocks.contains { (try? JSON.parse($0))?["id"]?.string == id }
        }
    }

    private static func texts(_ content: JSON?) -> [String] {
        if let text = content?.string { return [text] }
        return (content?.elements ?? []).compactMap { $0["text"]?.string }
    }

    private static func parts(_ content: JSON?, _ path: String) throws(APIError) -> [[UInt8]] {
        if let text = content?.string { return [self.text(text)] }
        var blocks: [[UInt8]] = []
        for part in content?.elements ?? [] {
            switch part["type"]?.string {
            case "text": blocks.append(text(part["text"]?.string ?? ""))
            case "image_url": blocks.append(source("image", part["image_url"]?["url"]?.string ?? ""))
            case "file": blocks.append(source("document", part["file"]?["file_data"]?.string ?? ""))
            default: throw .invalid("Invalid value for '\(path).content': unknown part")
            }
        }
        return blocks
    }

    private static func texts(of message: JSON, _ path: String) throws(APIError) -> [[UInt8]] {
        var blocks = texts(message["content"]).filter { !$0.isEmpty }.map(text)
        for call in message["tool_calls"]?.elements ?? [] {
            let arguments = Array((call["function"]?["arguments"]?.string ?? "").utf8)
            guard let input = try? JSON.parse(arguments.isEmpty ? Array("{}".utf8) : arguments) else {
                throw .invalid("\(path).tool_calls: arguments are not JSON")
            }
            blocks.append(
                object { json in
                    json.field("type", "tool_use")
                    json.field("id", call["id"]?.string ?? "")
                    json.field("name", call["function"]?["name"]?.string ?? "")
                    json.field("input", raw: input.raw)
                })
        }
        return blocks
    }

    private static func result(_ id: String, _ text: String) -> [UInt8] {
        object { json in
            json.field("type", "tool_result")
            json.field("tool_use_id", id)
            json.field("content", text)
        }
    }

    private static func text(_ text: String) -> [UInt8] {
        object { json in
            json.field("type", "text")
            json.field("text", text)
        }
    }

    /// A `data:` URL as the bytes that it is, any other as an address.
    private static func source(_ type: String, _ url: String) -> [UInt8] {
        object { json in
            json.field("type", type)
            json.key("source")
            json.object { json in
                let halves = url.split(separator: ",", maxSplits: 1)
                guard url.hasPrefix("data:"), halves.count == 2 else {
                    json.field("type", "url")
                    return json.field("url", url)
                }
                json.field("type", "base64")
                json.field("media_type", String(halves[0].dropFirst(5).prefix { $0 != ";" }))
                json.field("data", String(halves[1]))
            }
        }
    }

    private static func object(_ members: (inout JSONWriter) -> Void) -> [UInt8] {
        var json = JSONWriter()
        json.object(members)
        return json.bytes
    }
}
