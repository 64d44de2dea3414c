/// One thing that goes wrong with a call.
package struct Fault: Sendable, Equatable {
    /// What goes wrong, and so what the caller sees and whether the call was paid for.
    package enum Kind: Sendable, Equatable {
        /// An error answer of the provider's shape.
        case status(Int)
        /// An error answer as a proxy in between gives it: HTML.
        case html(Int)
        /// The monthly cap of the tier: 429 without `retry-after` until the month ends.
        case spendCap
        /// The cap that a customer set: 400, in words only.
        case userSpendCap
        /// Prepaid credit that is used up, as a 400.
        case credit
        /// The acceleration limit: 429 with `ramp_limit_exceeded`.
        case ramp
        /// The connection closes before any header.
        case reset
        /// Nothing comes at all for as long as the setting `stall` says, then the connection closes.
        case stall
        /// The model answers and is paid, and the connection dies before delivery.
        case dropAfter
        /// The answer is cut in the middle: less than its `Content-Length`, or chunks without an end.
        case truncate
        /// 200 with a body that is no JSON; a stream has one broken event.
        case malformed
        /// 200 without a body.
        case empty
        /// Headers and the first bytes come, and then nothing for as long as the setting `stall` says.
        case stallBody
        /// The answer comes a few bytes at a time.
        case drip
        /// A stream ends cleanly before `message_stop`; a plain answer is empty.
        case earlyEnd
        /// A stream breaks off with an `error` event; a plain call gets 529.
        case errorEvent
        /// 200 with `stop_reason` refusal and no content; not paid for.
        case refusal
        /// The answer is cut at its first word, as `max_tokens` does.
        case maxTokens
        /// 200 with `stop_reason` pause_turn.
        case pauseTurn
    }

    package var kind: Kind
    /// The `retry-after` header as it shall be sent, `none` for no such header; nil for what the kind does by itself.
    package var retryAfter: String?
    package var retryAfterMilliseconds: String?
    /// The `x-should-retry` header.
    package var shouldRetry: String?
    package var message: String?

    package init(_ kind: Kind) { self.kind = kind }

    /// As settings and the journal name it.
    package var name: String {
        switch kind {
        case .status(let status): String(status)
        case .html(let status): "html\(status)"
        default: Self.names.first { $0.value == kind }?.key ?? ""
        }
    }

    /// Whether the model does its work before anything goes wrong, so that the call costs money.
    func isAnswered(isStream: Bool) -> Bool {
        switch kind {
        case .status, .html, .spendCap, .userSpendCap, .credit, .ramp, .reset, .stall: false
        case .errorEvent: isStream
        default: true
        }
    }

    static let names: [String: Kind] = [
        "spend-cap": .spendCap, "user-spend-cap": .userSpendCap, "credit": .credit, "ramp": .ramp,
        "reset": .reset,
        "stall": .stall, "drop-after": .dropAfter, "truncate": .truncate, "malformed": .malformed,
        "empty": .empty, "stall-body": .stallBody, "drip": .drip, "early-end": .earlyEnd,
        "error-event": .errorEvent, "refusal": .refusal, "max-tokens": .maxTokens, "pause-turn": .pauseTurn,
    ]
}

extension Fault {
    /// Reads `KIND[;retry-after=5][;retry-after-ms=…][;should-retry=false][;message=…]`.
    ///
    /// KIND is a status (`529`), `html` and a status (`html502`), or one of the names.
    package init(text: String) throws(SettingError) {
        let parts = text.split(separator: ";").map(String.init)
        guard let name = parts.first, let kind = Self.kind(named: name) else {
            throw SettingError("no such fault: \(text); expected a status, html502 or one of \(Self.list)")
        }
        self.init(kind)
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
            guard pair.count == 2, set(pair[0], to: pair[1]) else {
                throw SettingError("no such option of a fault: \(part)")
            }
        }
    }

    /// Takes an option of a fault; false when it is none.
    mutating func set(_ option: String, to value: String) -> Bool {
        switch option {
        case "retry-after": retryAfter = value
        case "retry-after-ms": retryAfterMilliseconds = value
        case "should-retry": shouldRetry = value
        case "message": message = value
        default: return false
        }
        return true
    }

    static func kind(named text: String) -> Kind? {
        let name = String(
            decoding: text.utf8.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "-") : $0 }, as: UTF8.self)
        if let kind = names[name] { return kind }
        if name.hasPrefix("html") { return errorStatus(name.dropFirst(4)).map(Kind.html) }
        return errorStatus(name[...]).map(Kind.status)
    }

    private static func errorStatus(_ text: Substring) -> Int? {
        Int(text).flatMap { (400...599).contains($0) ? $0 : nil }
    }

    private static var list: String { names.keys.sorted().joined(separator: ", ") }
}
