import JSON
import Jobs

/// Why a body is not a Message, with what it says was used all the same.
struct NotAMessage: Error {
    var reason: String
    var usage: Usage?
}

extension Answer {
    /// Checks that the bytes are a finished Message and keeps them as they are.
    init(message body: [UInt8]) throws(NotAMessage) {
        let message: JSON
        do {
            message = try JSON.parse(body, maxDepth: JSON.deepest)
        } catch {
            throw NotAMessage(
                reason: body.isEmpty ? "the answer is empty" : "the answer is not JSON: \(error)")
        }
        try self.init(
            body: body, isMessage: message["type"]?.string == "message" && message["content"]?.kind == .array,
            model: message["model"]?.string, usage: message["usage"],
            stopReason: message["stop_reason"]?.string)
    }

    /// Puts a Message together whose parts are JSON that was read before; `content` is an array.
    init(_ members: Members) throws(NotAMessage) {
        func part(_ key: String) -> JSON? { members[key].flatMap { try? JSON.parse($0) } }
        try self.init(
            body: members.json, isMessage: part("type")?.string == "message" && members["content"] != nil,
            model: part("model")?.string, usage: part("usage"), stopReason: part("stop_reason")?.string)
    }

    private init(
        body: [UInt8], isMessage: Bool, model: String?, usage: JSON?, stopReason: String?
    ) throws(NotAMessage) {
        let usage = usage.flatMap(Usage.init)
        guard isMessage else { throw NotAMessage(reason: "the answer is not a Message", usage: usage) }
        guard let usage else { throw NotAMessage(reason: "the Message says nothing of its usage") }
        guard let model, let stopReason else {
            throw NotAMessage(reason: "the Message has no model or no stop_reason", usage: usage)
        }
        self.init(body: body, model: model, usage: usage, stopReason: stopReason)
    }
}

extension Usage {
    /// Reads a `usage` object: only input and output are always there, and nothing in it is below zero.
    init?(_ usage: JSON) {
        let count = Self.count
        guard let input = count(usage["input_tokens"]), let output = count(usage["output_tokens"]) else {
            return nil
        }
        let written1h = count(usage["cache_creation"]?["ephemeral_1h_input_tokens"]) ?? 0
        let written5m = count(usage["cache_creation"]?["ephemeral_5m_input_tokens"]) ?? 0
        let written = count(usage["cache_creation_input_tokens"]) ?? 0
        self.init(
            inputTokens: input, outputTokens: output, cacheWriteTokens: max(written, written1h + written5m),
            cacheWrite1hTokens: written1h, cacheReadTokens: count(usage["cache_read_input_tokens"]) ?? 0,
            isBatch: usage["service_tier"]?.string == "batch",
            isInUS: usage["inference_geo"]?.string == "us",
            webSearches: count(usage["server_tool_use"]?["web_search_requests"]) ?? 0)
    }

    /// What a provider counted, within what any call can use: money computed from it never overflows.
    static func count(_ value: JSON?) -> Int64? {
        let most = 1_000_000_000
        if let whole = value?.int { return Int64(min(max(0, whole), most)) }
        // Written as no integer, it is a number all the same: an answer that was paid for is not thrown away for it.
        guard value?.kind == .number else { return nil }
        guard let number = value?.double else {
            return value?.numberText?.hasPrefix("-") == true ? 0 : Int64(most)
        }
        return Int64(min(max(0, number.rounded(.up)), Double(most)))
    }
}
