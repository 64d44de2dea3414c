import JSON

extension CompletionRequest {
    /// The messages of a chat as turns of the Messages API.
    ///
    /// Instructions wherever they stand go before everything, and answers of tools become one turn of the user's, which a
    /// text that follows continues.
    struct Conversation {
        private(set) var system: [[UInt8]] = []
        private var turns: [(role: String, blocks: [[UInt8]])] = []

        mutating func take(_ messages: JSON?) throws(Refused) {
            guard let elements = messages?.elements, !elements.isEmpty else {
                throw Refused(
                    parameter: "messages", message: "messages must be an array of one message or more")
            }
            for (index, message) in elements.enumerated() { try take(message, named: "messages[\(index)]") }
            guard !turns.isEmpty else {
                throw Refused(parameter: "messages", message: "messages needs one that is no instruction")
            }
        }

        private mutating func take(_ message: JSON, named name: String) throws(Refused) {
            switch message["role"]?.string {
            case "system", "developer":
                system += try blocks(message["content"], named: name + ".content", texts: true)
            case "user":
                add(try blocks(message["content"], named: name + ".content", texts: false), role: "user")
            case "assistant":
                add(try answer(message, named: name), role: "assistant")
            case "tool":
                add([try result(message, named: name)], role: "user")
            default:
                throw Refused(
                    parameter: name + ".role",
                    message: "\(name).role must be system, developer, user, assistant or tool")
            }
        }

        private mutating func add(_ blocks: [[UInt8]], role: String) {
            if turns.last?.role == role {
                turns[turns.count - 1].blocks += blocks
            } else {
                turns.append((role, blocks))
            }
        }

        private func answer(_ message: JSON, named name: String) throws(Refused) -> [[UInt8]] {
            var blocks: [[UInt8]] = []
            if let content = message["content"], !content.isNull, content.string != "" {
                blocks = try self.blocks(content, named: name + ".content", texts: true)
            }
            if let refusal = message["refusal"]?.string, !refusal.isEmpty { blocks.append(text(refusal)) }
            for (index, call) in (message["tool_calls"]?.elements ?? []).enumerated() {
                blocks.append(try use(call, named: "\(name).tool_calls[\(index)]"))
            }
            guard !blocks.isEmpty else {
                throw Refused(parameter: name, message: "\(name) says nothing: give it content or tool_calls")
            }
            return blocks
        }

        private func use(_ call: JSON, named name: String) throws(Refused) -> [UInt8] {
            guard let id = call["id"]?.string, let called = call["function"]?["name"]?.string else {
                throw Refused(parameter: name, message: "\(name) needs an id and a function's name")
            }
            let arguments = Array((call["function"]?["arguments"]?.string ?? "").utf8)
            let isEmpty = arguments.allSatisfy { " \t\r\n".utf8.contains($0) }
            let input = isEmpty ? Array("{}".utf8) : arguments
            guard (try? JSON.parse(input, maxDepth: JSON.deepest))?.kind == .object else {
                throw Refused(
                    parameter: name, message: "\(name).function.arguments must be a JSON object as text")
            }
            var writer = JSONWriter()
            writer.object { writer in
                writer.field("type", "tool_use")
                writer.field("id", id)
                writer.field("name", called)
                writer.field("input", raw: input)
            }
            return writer.bytes
        }

        private func result(_ message: JSON, named name: String) throws(Refused) -> [UInt8] {
            guard let id = message["tool_call_id"]?.string else {
                throw Refused(parameter: name, message: "\(name) needs a tool_call_id")
            }
            let content = try blocks(message["content"], named: name + ".content", texts: false)
            var writer = JSONWriter()
            writer.object { writer in
                writer.field("type", "tool_result")
                writer.field("tool_use_id", id)
                writer.key("content")
                writer.array { writer in
                    for block in content { writer.raw(block) }
                }
            }
            return writer.bytes
        }

        var json: [UInt8] {
            var writer = JSONWriter()
            writer.array { writer in
                for (role, blocks) in turns {
                    writer.object { writer in
                        writer.field("role", role)
                        writer.key("content")
                        writer.array { writer in
                            for block in blocks { writer.raw(block) }
                        }
                    }
                }
            }
            return writer.bytes
        }

        var systemJSON: [UInt8] {
            var writer = JSONWriter()
            writer.array { writer in
                for block in system { writer.raw(block) }
            }
            return writer.bytes
        }
    }
}

extension CompletionRequest.Conversation {
    /// The blocks of a content; `texts` where nothing else may stand.
    private func blocks(
        _ content: JSON?, named name: String, texts: Bool
    ) throws(CompletionRequest.Refused) -> [[UInt8]] {
        if let words = content?.string { return [text(words)] }
        guard let parts = content?.elements, !parts.isEmpty else {
            throw .init(parameter: name, message: "\(name) must be a string or an array of parts")
        }
        var blocks: [[UInt8]] = []
        for (index, part) in parts.enumerated() {
            blocks.append(try block(part, named: "\(name)[\(index)]", texts: texts))
        }
        return blocks
    }

    private func block(
        _ part: JSON, named name: String, texts: Bool
    ) throws(CompletionRequest.Refused) -> [UInt8] {
        switch part["type"]?.string {
        case "text":
            guard let words = part["text"]?.string else {
                throw .init(parameter: name, message: "\(name).text must be a string")
            }
            // A breakpoint of the prompt cache may stand beside it, as several clients send it.
            return text(words, cacheControl: part["cache_control"])
        case "refusal":
            return text(part["refusal"]?.string ?? "")
        case "image_url" where !texts:
            return try image(part, named: name)
        case "file" where !texts:
            return try document(part, named: name)
        case let kind:
            throw .init(
                parameter: name, message: "\(name) is \(kind ?? "no part"), which has no counterpart here")
        }
    }

    private func text(_ words: String, cacheControl: JSON? = nil) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("type", "text")
            writer.field("text", words)
            if let cacheControl, !cacheControl.isNull {
                writer.field("cache_control", raw: Array(cacheControl.raw))
            }
        }
        return writer.bytes
    }

    private func image(_ part: JSON, named name: String) throws(CompletionRequest.Refused) -> [UInt8] {
        guard let url = part["image_url"]?["url"]?.string else {
            throw .init(parameter: name, message: "\(name).image_url.url must be a string")
        }
        return source("image", try source(of: url, named: name))
    }

    private func document(_ part: JSON, named name: String) throws(CompletionRequest.Refused) -> [UInt8] {
        guard let data = part["file"]?["file_data"]?.string else {
            throw .init(
                parameter: name,
                message: "\(name).file needs file_data: files by their id are another provider's")
        }
        return source("document", try source(of: data, named: name))
    }

    private func source(_ kind: String, _ source: [UInt8]) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("type", kind)
            writer.field("source", raw: source)
        }
        return writer.bytes
    }

    /// `data:TYPE;base64,…` as bytes, everything else as an address.
    private func source(of url: String, named name: String) throws(CompletionRequest.Refused) -> [UInt8] {
        var writer = JSONWriter()
        guard url.hasPrefix("data:") else {
            writer.object { writer in
                writer.field("type", "url")
                writer.field("url", url)
            }
            return writer.bytes
        }
        guard let comma = url.firstIndex(of: ","), url[..<comma].hasSuffix(";base64") else {
            throw .init(parameter: name, message: "\(name) must be a data URL in base64, or an address")
        }
        let type = url[..<comma].dropFirst("data:".count).prefix { $0 != ";" }
        writer.object { writer in
            writer.field("type", "base64")
            writer.field("media_type", String(type))
            writer.field("data", String(url[url.index(after: comma)...]))
        }
        return writer.bytes
    }
}
