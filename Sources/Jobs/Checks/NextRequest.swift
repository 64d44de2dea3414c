import JSON

/// The requests that follow an answer which failed its check.
package enum NextRequest {
    /// The conversation with the answer and the complaint added.
    ///
    /// Throws if the request or the answer is no JSON, which neither can be.
    package static func repair(_ request: [UInt8], answer: [UInt8], reason: String) throws -> [UInt8] {
        let request = try JSON.parse(request, maxDepth: JSON.deepest)
        let blocks = try JSON.parse(answer, maxDepth: JSON.deepest)["content"]?.elements ?? []
        // An empty text block is one that the API gives but does not take.
        let said = blocks.filter { $0["type"]?.string != "text" || $0["text"]?.string?.isEmpty == false }
        var turns = JSONWriter()
        if !said.isEmpty { turns.turn("assistant") { writer in said.forEach { writer.raw($0.raw) } } }
        turns.turn("user") { writer in writer.reply(to: said, reason) }
        let messages = request["messages"].map { Array($0.raw.dropLast()) } ?? Array("[".utf8)
        let comma = (request["messages"]?.count ?? 0) > 0 ? [UInt8(ascii: ",")] : []
        return request.replacing("messages", with: messages + comma + turns.bytes + [UInt8(ascii: "]")])
    }

    /// The same request to another model.
    package static func escalation(of request: [UInt8], to model: String) throws -> [UInt8] {
        var writer = JSONWriter()
        writer.string(model)
        return try JSON.parse(request, maxDepth: JSON.deepest).replacing("model", with: writer.bytes)
    }
}

extension JSONWriter {
    fileprivate mutating func turn(_ role: String, _ content: (inout JSONWriter) -> Void) {
        object { writer in
            writer.field("role", role)
            writer.key("content")
            writer.array(content)
        }
    }

    /// Every tool call wants a result before anything else is said.
    fileprivate mutating func reply(to blocks: [JSON], _ reason: String) {
        let text =
            "That answer did not pass a check: \(reason). Answer again, so that it does, "
            + "without apology or comment."
        let calls = blocks.filter { $0["type"]?.string == "tool_use" }.compactMap { $0["id"]?.string }
        for call in calls {
            object { writer in
                writer.field("type", "tool_result")
                writer.field("tool_use_id", call)
                writer.field("is_error", true)
                writer.field("content", text)
            }
        }
        guard calls.isEmpty else { return }
        object { writer in
            writer.field("type", "text")
            writer.field("text", text)
        }
    }
}

/// A person's answer in the place of the model's.
package enum EditedAnswer {
    /// The Message with one text block as its content.
    package static func message(_ message: [UInt8], saying text: String) throws -> [UInt8] {
        var content = JSONWriter()
        content.array { writer in
            writer.object { writer in
                writer.field("type", "text")
                writer.field("text", text)
            }
        }
        let edited = try JSON.parse(message, maxDepth: JSON.deepest).replacing("content", with: content.bytes)
        return try JSON.parse(edited, maxDepth: JSON.deepest)
            .replacing("stop_reason", with: Array(#""end_turn""#.utf8))
    }
}
