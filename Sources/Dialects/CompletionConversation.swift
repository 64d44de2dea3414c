import JSON

extension CompletionRequest {
    /// The messages of a chat as turns of the Messages API.
    ///
    /// Instructions wherever they are go before everything, and answers of tools become one turn of the user's, which a
    /// text that follows continues.
    struct Conversation {
        private struct Turn {
            var role: String
            var blocks: [[UInt8]]
            var hasResults = false
        }

        private(set) var system: [[UInt8]] = []
        private var turns: [Turn] = []

        /// Whether the last turn answers the model's own calls.
        var answersCalls: Bool { turns.last?.hasResults == true }

        mutating func take(_ messages: JSON?) throws(Refused) {
            guard let elements = messages?.elements else { throw .wrong("messages", "an array of messages") }
            guard !elements.isEmpty else {
                throw Refused(parameter: "messages", message: "messages must not be empty")
            }
            for (index, message) in elements.enumerated() { try take(message, named: "messages[\(index)]") }
            if turns.isEmpty { try askLastInstruction() }
        }

        /// If all are instructions the last one is what is asked: the Messages API wants a turn of the user's.
        private mutating func askLastInstruction() throws(Refused) {
            guard let last = system.popLast() else {
                throw Refused(parameter: "messages", message: "messages says nothing: all of it is empty")
            }
            add(Turn(role: "user", blocks: [last]))
        }

        /// Says one thing more before everything.
        mutating func instruct(_ words: String) {
            system.append(CompletionRequest.Parts.text(words))
        }

        private mutating func take(_ message: JSON, named name: String) throws(Refused) {
            switch message["role"]?.string {
            case "system", "developer":
                system += try Parts(message["content"], named: name + ".content", textsOnly: true).blocks
            case "user":
                let blocks = try Parts(message["content"], named: name + ".content").blocks
                guard !blocks.isEmpty else {
                    throw Refused(parameter: name + ".content", message: "\(name).content is empty")
                }
                add(Turn(role: "user", blocks: blocks))
            case "assistant": add(Turn(role: "assistant", blocks: try answer(message, named: name)))
            case "tool":
                add(Turn(role: "user", blocks: [try result(message, named: name)], hasResults: true))
            default: throw .wrong(name + ".role", "system, developer, user, assistant or tool")
            }
        }

        private mutating func add(_ turn: Turn) {
            guard turns.last?.role == turn.role else { return turns.append(turn) }
            turns[turns.count - 1].blocks += turn.blocks
            turns[turns.count - 1].hasResults = turns[turns.count - 1].hasResults || turn.hasResults
        }

        private func answer(_ message: JSON, named name: String) throws(Refused) -> [[UInt8]] {
            for member in ["function_call", "audio"] where message.given(member) != nil {
                throw Refused(
                    parameter: "\(name).\(member)", message: "\(name).\(member) has no counterpart here")
            }
            var blocks: [[UInt8]] = []
            if let content = message.given("content") {
                blocks = try Parts(content, named: name + ".content", textsOnly: true).blocks
            }
            let refusal = try message.text("refusal", in: name + ".") ?? ""
            if !refusal.isEmpty { blocks.append(Parts.text(refusal)) }
            for (index, call) in (try message.list("tool_calls", in: name + ".") ?? []).enumerated() {
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
            let path = name + ".function."
            let arguments = try call["function"]?.text("arguments", in: path) ?? ""
            var writer = JSONWriter()
            writer.object { writer in
                writer.field("type", "tool_use")
                writer.field("id", id)
                writer.field("name", called)
                writer.field("input", raw: ToolArguments.input(arguments))
            }
            return writer.bytes
        }

        private func result(_ message: JSON, named name: String) throws(Refused) -> [UInt8] {
            guard let id = message["tool_call_id"]?.string else {
                throw Refused(parameter: name, message: "\(name) needs a tool_call_id")
            }
            let content = try Parts(message["content"], named: name + ".content").blocks
            var writer = JSONWriter()
            writer.object { writer in
                writer.field("type", "tool_result")
                writer.field("tool_use_id", id)
                // A tool that says nothing has answered all the same.
                if !content.isEmpty { Self.write(content, as: "content", to: &writer) }
            }
            return writer.bytes
        }
    }
}

extension CompletionRequest.Conversation {
    var json: [UInt8] {
        var writer = JSONWriter()
        writer.array { writer in
            for turn in turns {
                writer.object { writer in
                    writer.field("role", turn.role)
                    Self.write(turn.blocks, as: "content", to: &writer)
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

    private static func write(_ blocks: [[UInt8]], as key: String, to writer: inout JSONWriter) {
        writer.key(key)
        writer.array { writer in
            for block in blocks { writer.raw(block) }
        }
    }
}
