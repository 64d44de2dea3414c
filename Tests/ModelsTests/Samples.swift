import HTTPClient
import JSON
import Jobs

@testable import Models

/// What the provider sends, shortened.
enum Sample {
    static let message = """
        {"id":"msg_1","type":"message","role":"assistant","model":"claude-haiku-4-5-20251001",
         "content":[{"type":"text","text":"Four."}],"stop_reason":"end_turn","stop_sequence":null,
         "usage":{"input_tokens":21,"output_tokens":4,"cache_creation_input_tokens":30,"cache_read_input_tokens":7,
           "cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20},"server_tool_use":null}}
        """

    static let start = event(
        "message_start",
        #"""
        {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-haiku-4-5",
        """#.filter { $0 != "\n" }
            + #""content":[],"stop_reason":null,"stop_sequence":null,"future":{"x":1},"#
            + #""usage":{"input_tokens":31,"cache_read_input_tokens":9,"output_tokens":1}}}"#)

    static func block(_ index: Int, _ block: String) -> String {
        event(
            "content_block_start",
            #"{"type":"content_block_start","index":\#(index),"content_block":\#(block)}"#)
    }

    static func delta(_ index: Int, _ delta: String) -> String {
        event("content_block_delta", #"{"type":"content_block_delta","index":\#(index),"delta":\#(delta)}"#)
    }

    static func text(_ index: Int, _ text: String) -> String {
        delta(index, #"{"type":"text_delta","text":"\#(text)"}"#)
    }

    static func end(_ reason: String = "end_turn", usage: String = #"{"output_tokens":12}"#) -> String {
        event(
            "message_delta",
            #"{"type":"message_delta","delta":{"stop_reason":"\#(reason)","stop_sequence":null},"usage":\#(usage)}"#
        )
    }

    static let ping = event("ping", #"{"type":"ping"}"#)
    static let stop = event("message_stop", #"{"type":"message_stop"}"#)

    static let textBlock = #"{"type":"text","text":""}"#

    /// A whole stream that says `Sixty-four é😀`.
    static let stream =
        start + block(0, textBlock) + ping + text(0, "Sixty") + text(0, "-four") + text(0, " é😀")
        + event("content_block_stop", #"{"type":"content_block_stop","index":0}"#) + end() + stop

    static func event(_ name: String, _ data: String) -> String { "event: \(name)\ndata: \(data)\n\n" }
}

/// What a stream comes to when it arrives in pieces of this size.
func read(_ stream: String, pieces size: Int = .max, limit: Int = 1 << 20) -> Outcome.Result {
    read(Array(stream.utf8), pieces: size, limit: limit)
}

func read(_ bytes: [UInt8], pieces size: Int = .max, limit: Int = 1 << 20) -> Outcome.Result {
    var answer = StreamedAnswer(limit: limit)
    var rest = bytes[...]
    while !rest.isEmpty {
        let piece = rest.prefix(size)
        rest = rest.dropFirst(piece.count)
        if let result = answer.take(Array(piece)) { return result }
    }
    return answer.end()
}

extension Outcome.Result {
    var answer: Answer? {
        guard case .answer(let answer) = self else { return nil }
        return answer
    }

    var message: JSON? { answer.flatMap { try? JSON.parse($0.body) } }

    var breakage: Breakage? {
        guard case .broken(let breakage) = self else { return nil }
        return breakage
    }

    var refusal: Refusal? {
        guard case .refusal(let refusal) = self else { return nil }
        return refusal
    }
}

func headers(_ fields: KeyValuePairs<String, String>) -> HTTPHeaders {
    HTTPHeaders(fields.map { ($0.key, $0.value) })
}
