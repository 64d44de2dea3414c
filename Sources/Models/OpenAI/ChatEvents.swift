import JSON
import Jobs

/// What a chat completion says, as the Messages API's events, while it comes.
///
/// Nothing of that dialect says that a block is whole: all end together, and until then each gets what is its own.
struct ChatEvents {
    private var hasBegun = false
    /// The index of the text's block, and how many bytes of it were written.
    private var text: (index: Int, written: Int)?
    /// The same of each call, in their order.
    private var calls: [(index: Int, written: Int)] = []
    private var blocks = 0

    /// What an answer says more than it did before.
    mutating func events(of answer: ChatAnswer) -> [AnswerEvent] {
        var events: [AnswerEvent] = []
        if !hasBegun {
            hasBegun = true
            events.append(start(answer))
        }
        let words = answer.text.isEmpty ? answer.refusal ?? "" : answer.text
        if !words.isEmpty { write(words, &events) }
        for (place, call) in answer.toolCalls.enumerated() { write(call, at: place, &events) }
        return events
    }

    private mutating func write(_ words: String, _ events: inout [AnswerEvent]) {
        var block =
            text ?? (
                begin(&events) {
                    $0.field("type", "text"); $0.field("text", "")
                }, 0
            )
        if words.utf8.count > block.written {
            events.append(
                delta(block.index, "text_delta", "text", Self.rest(of: words, after: block.written)))
            block.written = words.utf8.count
        }
        text = block
    }

    private mutating func write(_ call: ChatAnswer.ToolCall, at place: Int, _ events: inout [AnswerEvent]) {
        // Its name comes whole, before its arguments; and calls come in their order.
        guard !call.name.isEmpty, place <= calls.count else { return }
        if place == calls.count {
            let index = begin(&events) { block in
                block.field("type", "tool_use")
                block.field("id", call.id)
                block.field("name", call.name)
                block.field("input", raw: "{}".utf8)
            }
            calls.append((index, 0))
        }
        guard call.arguments.utf8.count > calls[place].written else { return }
        let piece = Self.rest(of: call.arguments, after: calls[place].written)
        events.append(delta(calls[place].index, "input_json_delta", "partial_json", piece))
        calls[place].written = call.arguments.utf8.count
    }

    private mutating func begin(
        _ events: inout [AnswerEvent], _ members: (inout JSONWriter) -> Void
    ) -> Int {
        let index = blocks
        blocks += 1
        events.append(
            Self.event("content_block_start") { writer in
                writer.field("index", index)
                writer.key("content_block")
                writer.object(members)
            })
        return index
    }

    private static func rest(of text: String, after bytes: Int) -> String {
        String(decoding: text.utf8.dropFirst(bytes), as: UTF8.self)
    }

    /// What comes before `message_stop`; `message` is the whole answer.
    mutating func ending(_ message: Answer) -> [AnswerEvent] {
        var events = (0..<blocks).map { index in
            Self.event("content_block_stop") { $0.field("index", index) }
        }
        let usage = (try? JSON.parse(message.body, maxDepth: JSON.deepest))?["usage"].map { Array($0.raw) }
        events.append(
            Self.event("message_delta") { writer in
                writer.key("delta")
                writer.object { delta in
                    delta.field("stop_reason", message.stopReason)
                    delta.field("stop_sequence", nil as String?)
                }
                writer.field("usage", raw: usage ?? Array(#"{"output_tokens":0}"#.utf8))
            })
        return events
    }

    private func start(_ answer: ChatAnswer) -> AnswerEvent {
        Self.event("message_start") { writer in
            writer.key("message")
            writer.object { message in
                message.field("id", answer.id ?? "chatcmpl")
                message.field("type", "message")
                message.field("role", "assistant")
                message.field("model", answer.model ?? answer.assumed.model)
                message.field("content", raw: "[]".utf8)
                message.field("stop_reason", nil as String?)
                message.field("stop_sequence", nil as String?)
                message.key("usage")
                message.object { usage in
                    usage.field("input_tokens", 0)
                    usage.field("output_tokens", 0)
                }
            }
        }
    }

    private func delta(_ index: Int, _ type: String, _ key: String, _ text: String) -> AnswerEvent {
        Self.event("content_block_delta") { writer in
            writer.field("index", index)
            writer.key("delta")
            writer.object { delta in
                delta.field("type", type)
                delta.field(key, text)
            }
        }
    }

    private static func event(_ name: String, _ members: (inout JSONWriter) -> Void) -> AnswerEvent {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("type", name)
            members(&writer)
        }
        return AnswerEvent(name: name, data: writer.bytes)
    }
}
