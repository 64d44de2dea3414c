import JSON

/// A message as server-sent events, in the grammar of the provider's stream.
struct EventStream {
    /// Bytes to be sent together, and how many output tokens they carry.
    struct Piece {
        var bytes: [UInt8]
        var tokens = 0
        /// Where the time of sending is to be written, in as many digits as `unstamped` has.
        var stamp: Int?

        mutating func stamp(_ milliseconds: Int64) {
            guard let stamp else { return }
            let digits = Array(String(milliseconds).utf8)
            let start = stamp + EventStream.unstamped.utf8.count - digits.count
            bytes.replaceSubrange(start..<start + digits.count, with: digits)
        }
    }

    static let unstamped = "000000000000000"

    /// Text goes out some words at a time, as it does at the provider.
    private static let tokensPerDelta = 8

    let message: MessageJSON

    /// `message_start` and all events up to `message_stop`, a ping after the first block has begun.
    func pieces() -> [Piece] {
        var pieces = [Piece(bytes: start())]
        for (index, block) in message.answer.blocks.enumerated() {
            pieces[pieces.count - 1].bytes += blockStart(block, index) + (index == 0 ? Self.ping : [])
            pieces += deltas(block, index)
            pieces[pieces.count - 1].bytes += Self.event("content_block_stop") { $0.field("index", index) }
        }
        pieces.append(Piece(bytes: end()))
        return pieces
    }

    static let ping = event("ping") { _ in }

    static func error(_ error: APIError) -> [UInt8] {
        event("error") { json in
            json.key("error")
            json.object { body in
                body.field("type", error.type)
                body.field("message", error.message)
            }
        }
    }

    private static func event(_ name: String, _ members: (inout JSONWriter) -> Void) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.field("type", name)
            members(&json)
        }
        return Array("event: \(name)\ndata: ".utf8) + json.bytes + Array("\n\n".utf8)
    }

    private func start() -> [UInt8] {
        Self.event("message_start") { json in
            json.key("message")
            json.object { json in
                message.writeHead(&json)
                json.field("content", raw: "[]".utf8)
                json.field("stop_reason", nil as String?)
                json.field("stop_sequence", nil as String?)
                json.key("usage")
                json.object { message.writeUsage(&$0, output: min(1, message.usage.output)) }
            }
        }
    }

    private func end() -> [UInt8] {
        let delta = Self.event("message_delta") { json in
            json.key("delta")
            json.object { message.writeStop(&$0) }
            json.key("usage")
            json.object { $0.field("output_tokens", message.usage.output) }
        }
        return delta + Self.event("message_stop") { _ in }
    }

    private func blockStart(_ block: Answer.Block, _ index: Int) -> [UInt8] {
        Self.event("content_block_start") { json in
            json.field("index", index)
            json.key("content_block")
            switch block {
            case .text: json.raw(#"{"type":"text","text":""}"#.utf8)
            case .thinking: json.raw(#"{"type":"thinking","thinking":"","signature":""}"#.utf8)
            case .toolUse(let id, let name, _):
                MessageJSON.write(.toolUse(id: id, name: name, input: Array("{}".utf8)), &json)
            case .search(let id, _):
                json.object { json in
                    json.field("type", "server_tool_use")
                    json.field("id", id)
                    json.field("name", "web_search")
                    json.field("input", raw: "{}".utf8)
                }
            case .found: MessageJSON.write(block, &json)
            case .compaction: json.raw(#"{"type":"compaction","content":null}"#.utf8)
            }
        }
    }

    private func deltas(_ block: Answer.Block, _ index: Int) -> [Piece] {
        switch block {
        case .text(let text): return Self.cut(text).map { delta(index, "text_delta", "text", $0) }
        case .toolUse(_, _, let input):
            let text = String(decoding: input, as: UTF8.self)
            return ([""] + Self.cut(text)).map { delta(index, "input_json_delta", "partial_json", $0) }
        case .search(_, let query):
            let text = String(decoding: MessageJSON.input(query), as: UTF8.self)
            return ([""] + Self.cut(text)).map { delta(index, "input_json_delta", "partial_json", $0) }
        case .found: return []
        // A summary comes whole.
        case .compaction(let text): return [delta(index, "compaction_delta", "content", text)]
        case .thinking(let text):
            return Self.cut(text).map { delta(index, "thinking_delta", "thinking", $0) }
                + [Piece(bytes: delta(index, "signature_delta", "signature", MessageJSON.signature).bytes)]
        }
    }

    private func delta(_ index: Int, _ type: String, _ key: String, _ text: String) -> Piece {
        var stamp: Int?
        let bytes = Self.event("content_block_delta") { json in
            json.field("index", index)
            json.key("delta")
            json.object { json in
                json.field("type", type)
                json.field(key, text)
            }
            guard message.stamps else { return }
            json.field("sim_sent_ms", Self.unstamped)
        }
        // It is the last member: before the quote, the brace and the two line ends.
        if message.stamps { stamp = bytes.count - 4 - Self.unstamped.utf8.count }
        return Piece(bytes: bytes, tokens: TokenCount.text(text), stamp: stamp)
    }

    static func cut(_ text: String) -> [String] {
        var rest = Array(text.utf8)[...]
        var parts: [String] = []
        while !rest.isEmpty {
            var end = min(rest.startIndex + tokensPerDelta * 4, rest.endIndex)
            while end < rest.endIndex, rest[end] & 0xC0 == 0x80 { end += 1 }
            parts.append(String(decoding: rest[rest.startIndex..<end], as: UTF8.self))
            rest = rest[end...]
        }
        return parts
    }
}
