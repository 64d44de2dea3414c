import JSON
package import Jobs

/// The text that events of a Message bring, and nothing else of it.
package enum MessageText {
    package static func of(_ events: [AnswerEvent]) -> [UInt8] {
        events.flatMap { event -> [UInt8] in
            guard event.name == "content_block_delta", let data = try? JSON.parse(event.data),
                data["delta"]?["type"]?.string == "text_delta", let text = data["delta"]?["text"]?.string
            else { return [] }
            return Array(text.utf8)
        }
    }
}
