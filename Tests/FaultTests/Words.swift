import RawServer

/// What a provider that is well says to a call, in its dialect.
extension CallKind {
    var type: String { streams ? "text/event-stream" : "application/json" }

    /// A whole body.
    var body: String { streams ? events.joined() : whole }

    /// As a whole HTTP answer.
    var answer: String { head() + body }

    /// A head for the body, or for one of another length.
    func head(_ status: String = "200 OK", length: Int? = nil, _ extra: String...) -> String {
        let lines = [
            "HTTP/1.1 \(status)", "Content-Type: \(type)", "Content-Length: \(length ?? body.utf8.count)",
        ]
        return (lines + extra).joined(separator: "\r\n") + "\r\n\r\n"
    }

    /// A head for chunks.
    func chunked(_ extra: String...) -> String {
        let lines = ["HTTP/1.1 200 OK", "Content-Type: \(type)", "Transfer-Encoding: chunked"]
        return (lines + extra).joined(separator: "\r\n") + "\r\n\r\n"
    }

    private var whole: String {
        switch dialect {
        case .messages:
            #"{"id":"msg_1","type":"message","role":"assistant","model":"claude-haiku-4-5-20251001","#
                + #""content":[{"type":"text","text":"Grüße."}],"stop_reason":"end_turn","stop_sequence":null,"#
                + #""usage":{"input_tokens":21,"output_tokens":4}}"#
        case .chat:
            #"{"id":"c","object":"chat.completion","model":"claude-haiku-4-5-20251001","choices":[{"index":0,"#
                + #""message":{"role":"assistant","content":"Grüße."},"finish_reason":"stop"}],"#
                + #""usage":{"prompt_tokens":21,"completion_tokens":4,"total_tokens":25}}"#
        }
    }

    /// Five or more, of which the last ends the stream and the one before tells the usage.
    var events: [String] {
        switch dialect {
        case .messages:
            [
                Self.event(
                    "message_start",
                    #","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-haiku-4-5-20251001","#
                        + #""content":[],"stop_reason":null,"usage":{"input_tokens":21,"output_tokens":1}}"#),
                Self.event("content_block_start", #","index":0,"content_block":{"type":"text","text":""}"#),
                Self.event(
                    "content_block_delta", #","index":0,"delta":{"type":"text_delta","text":"Grüße."}"#),
                Self.event("content_block_stop", #","index":0"#),
                Self.event(
                    "message_delta", #","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":4}"#),
                Self.event("message_stop"),
            ]
        case .chat:
            [
                Self.chunk(#"[{"index":0,"delta":{"role":"assistant","content":""}}]"#),
                Self.chunk(#"[{"index":0,"delta":{"content":"Grü"}}]"#),
                Self.chunk(#"[{"index":0,"delta":{"content":"ße."}}]"#),
                Self.chunk(#"[{"index":0,"delta":{},"finish_reason":"stop"}]"#),
                Self.chunk("[]", #","usage":{"prompt_tokens":21,"completion_tokens":4}"#),
                "data: [DONE]\n\n",
            ]
        }
    }

    static func event(_ name: String, _ members: String = "") -> String {
        "event: \(name)\ndata: {\"type\":\"\(name)\"\(members)}\n\n"
    }

    private static func chunk(_ choices: String, _ members: String = "") -> String {
        #"data: {"id":"c","object":"chat.completion.chunk","model":"m","choices":\#(choices)\#(members)}"#
            + "\n\n"
    }

    /// An error of this dialect.
    func error(_ type: String, _ message: String = "m") -> String {
        dialect == .messages
            ? #"{"type":"error","error":{"type":"\#(type)","message":"\#(message)"}}"#
            : #"{"error":{"type":"\#(type)","message":"\#(message)"}}"#
    }

    /// The same amid a stream.
    func errorEvent(_ type: String) -> String {
        dialect == .messages ? "event: error\ndata: \(error(type))\n\n" : "data: \(error(type))\n\n"
    }
}

extension String {
    /// As chunks of so many bytes, with the last one.
    func chunks(of size: Int = 100, end: String = "0\r\n\r\n") -> [UInt8] {
        var rest = utf8[...]
        var bytes: [UInt8] = []
        while !rest.isEmpty {
            let piece = rest.prefix(size)
            rest = rest.dropFirst(piece.count)
            bytes += Array((String(piece.count, radix: 16) + "\r\n").utf8) + piece + Array("\r\n".utf8)
        }
        return bytes + Array(end.utf8)
    }

    /// By gzip, stored as it is.
    var zipped: [UInt8] {
        let bytes = Array(utf8)
        var sum: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
        }
        let count = UInt32(bytes.count)
        return [31, 139, 8, 0, 0, 0, 0, 0, 0, 3, 1] + count.little.prefix(2) + (~count).little.prefix(2)
            + bytes
            + (~sum).little + count.little
    }
}

extension UInt32 {
    fileprivate var little: [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: self >> ($0 * 8)) } }
}

extension Provider {
    /// How a connection ends.
    enum End: Sendable {
        case close, reset
        /// Not at all: the client must lose patience.
        case silence
    }

    /// Reads the call and sends these bytes.
    static func sends(_ end: End = .close, _ bytes: @escaping @Sendable (CallKind) -> String) -> Provider {
        sendsBytes(end) { Array(bytes($0).utf8) }
    }

    static func sendsBytes(
        _ end: End = .close, _ bytes: @escaping @Sendable (CallKind) -> [UInt8]
    ) -> Provider {
        .scripted { peer, kind in
            guard peer.request() != nil else { return }
            peer.send(bytes(kind))
            finish(peer, end)
        }
    }

    /// Sends these pieces with a pause after each.
    static func drips(
        _ end: End = .close, pause: UInt32 = 10, _ pieces: @escaping @Sendable (CallKind) -> [[UInt8]]
    ) -> Provider {
        .scripted { peer, kind in
            guard peer.request() != nil else { return }
            for piece in pieces(kind) {
                peer.send(piece)
                peer.rest(milliseconds: pause)
            }
            finish(peer, end)
        }
    }

    static func finish(_ peer: Peer, _ end: End) {
        switch end {
        case .close: break
        case .reset: peer.reset()
        case .silence: peer.untilClosed()
        }
    }
}
