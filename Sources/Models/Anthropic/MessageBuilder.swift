import JSON
import Jobs

/// Puts a Message together from the events of its stream.
///
/// What is not known is kept: members of `message_start`, of a block's start and of `message_delta` go into
/// the
/// Message as they came. Unknown events and unknown deltas are passed over, as the API's versioning policy
/// asks.
struct MessageBuilder {
    enum Progress {
        case more, complete
        case refused(ErrorBody)
    }

    private var members: Members?
    private var usage = Members()
    private var hasFinalUsage = false
    private var blocks: [Int: BlockBuilder] = [:]
    /// Bytes of text, input and thinking received.
    private(set) var textBytes = 0

    mutating func take(_ event: ServerEvent) throws(NotAMessage) -> Progress {
        guard event.name != "ping", !event.data.elementsEqual("[DONE]".utf8) else { return .more }
        guard let data = try? JSON.parse(event.data, maxDepth: Self.deepest) else {
            if !event.name.isEmpty, !Self.isKnown(event.name) { return .more }
            throw NotAMessage(reason: "the event \(excerpt(event.name)) is not JSON")
        }
        switch event.name.isEmpty ? data["type"]?.string ?? "" : event.name {
        case "message_start": try start(data)
        case "content_block_start": try startBlock(data)
        case "content_block_delta": try extendBlock(data)
        case "message_delta": try change(data)
        case "message_stop": return .complete
        case "error": return .refused(ErrorBody(data["error"] ?? data))
        default: break
        }
        return .more
    }

    private static func isKnown(_ name: String) -> Bool {
        switch name {
        case "message_start", "content_block_start", "content_block_delta", "content_block_stop",
            "message_delta",
            "message_stop", "error":
            true
        default: false
        }
    }

    private mutating func start(_ data: JSON) throws(NotAMessage) {
        guard members == nil, let start = data["message"].flatMap(Members.init) else {
            throw NotAMessage(reason: "message_start is not the beginning of one Message")
        }
        members = start
        if let start = data["message"]?["usage"] { usage.update(from: start) }
    }

    private mutating func startBlock(_ data: JSON) throws(NotAMessage) {
        guard members != nil, let index = data["index"]?.int, blocks[index] == nil,
            let block = data["content_block"].flatMap(BlockBuilder.init)
        else { throw NotAMessage(reason: "content_block_start is not the beginning of a new block") }
        blocks[index] = block
    }

    private mutating func extendBlock(_ data: JSON) throws(NotAMessage) {
        guard let index = data["index"]?.int, let delta = data["delta"], blocks[index] != nil else {
            throw NotAMessage(reason: "content_block_delta without its block")
        }
        textBytes += blocks[index]?.apply(delta) ?? 0
    }

    /// `usage` is cumulative; what it names replaces what was said at the start, what it leaves out is kept.
    private mutating func change(_ data: JSON) throws(NotAMessage) {
        guard members != nil else { throw NotAMessage(reason: "message_delta without a message") }
        for (key, value) in data["delta"]?.members ?? [] { members?[key] = Array(value.raw) }
        for (key, value) in data.members ?? [] where !["type", "delta", "usage"].contains(key) {
            members?[key] = Array(value.raw)
        }
        guard let latest = data["usage"] else { return }
        usage.update(from: latest)
        hasFinalUsage = hasFinalUsage || latest["output_tokens"]?.int != nil
    }

    /// What an error event amid the stream means for the money.
    ///
    /// Before `message_start` nothing had begun. After it, but before any content, an error that is about the request or
    /// about capacity says that the model did not get to it; any other may come from one that was at work, unseen.
    func refusal(_ error: ErrorBody) -> Refusal {
        let status = JobError.meantStatus(200, error.type)
        let isUnserved = blocks.isEmpty && !hasFinalUsage && (status < 500 || status == 529)
        let began = members != nil && !isUnserved
        return Refusal(error, status: 200, usage: began ? usageSoFar : nil, answerBegan: began)
    }

    /// The Message so far; its parts were read as they came.
    func answer() throws(NotAMessage) -> Answer {
        guard var members else { throw NotAMessage(reason: "message_stop without a message") }
        members["content"] = jsonArray(blocks.sorted { $0.key < $1.key }.map(\.value.json))
        if !usage.isEmpty { members["usage"] = usage.json }
        return try Answer(members)
    }

    /// In the Message some parts are deeper than in their events: a block by one level, a citation by two.
    private static let deepest = JSON.deepest - 2

    /// What was billed so far; nil before the stream has said anything of it.
    ///
    /// Until the last counts have come, the output is taken as a token for every three bytes received: the
    /// real
    /// count is not known, and more than that is rare.
    var usageSoFar: Usage? {
        guard let parsed = try? JSON.parse(usage.json), var usage = Usage(parsed) else { return nil }
        if !hasFinalUsage { usage.outputTokens = max(usage.outputTokens, Int64((textBytes + 2) / 3)) }
        usage.isComplete = hasFinalUsage
        return usage
    }
}
