/// What the model says, and why it stopped.
struct Answer: Sendable, Equatable {
    enum Block: Sendable, Equatable {
        case thinking(String)
        case text(String)
        /// The input is JSON already.
        case toolUse(id: String, name: String, input: [UInt8])
        /// A search on the web that the provider makes by itself, and what it found.
        case search(id: String, query: String)
        case found(id: String, title: String, number: Int)
        /// A summary of the conversation.
        case compaction(String)

        var tokens: Int {
            switch self {
            case .thinking(let text), .text(let text), .compaction(let text): TokenCount.text(text)
            // The text's length alone is what a prompt asks for; what was found is read, and not written.
            case .search, .found: 0
            case .toolUse(_, let name, let input):
                8 + TokenCount.text(name) + TokenCount.text(bytes: input.count)
            }
        }
    }

    var blocks: [Block]
    var stopReason = "end_turn"
    var stopSequence: String?
    var outputTokens = 0
    var thinkingTokens = 0

    /// What ends a turn costs a little too, as single words do at the real endpoint.
    private static let endTokens = 2

    init(_ blocks: [Block], stopReason: String = "end_turn") {
        self.blocks = blocks
        self.stopReason = stopReason
    }

    var isRefusal: Bool { stopReason == "refusal" }

    /// Cuts the text at the first stop sequence, then everything at `maxTokens`, and counts.
    mutating func limit(to maxTokens: Int, stoppingAt sequences: [String]) {
        stop(at: sequences)
        var used = 0
        for (index, block) in blocks.enumerated() {
            let left = maxTokens - used
            if block.tokens > left {
                blocks = Array(blocks[..<index]) + [block.cut(to: left)].compactMap(\.self)
                stopReason = "max_tokens"
                stopSequence = nil
                used = maxTokens
                break
            }
            used += block.tokens
            if case .thinking = block { thinkingTokens += block.tokens }
        }
        outputTokens = isRefusal ? 0 : min(maxTokens, used + Self.endTokens)
    }

    private mutating func stop(at sequences: [String]) {
        guard !sequences.isEmpty else { return }
        for (index, block) in blocks.enumerated() {
            guard case .text(let text) = block else { continue }
            let bytes = Array(text.utf8)
            let cacheHits = sequences.compactMap { sequence in
                bytes.firstRange(of: Array(sequence.utf8)).map { (at: $0, sequence: sequence) }
            }
            guard let first = cacheHits.min(by: { $0.at < $1.at }) else { continue }
            blocks = Array(blocks[..<index]) + [.text(String(decoding: bytes[..<first.at], as: UTF8.self))]
            stopReason = "stop_sequence"
            stopSequence = first.sequence
            return
        }
    }
}

extension Answer.Block {
    /// The part of a block that so many tokens hold, nil for none; of a tool's input nothing is left.
    fileprivate func cut(to tokens: Int) -> Answer.Block? {
        guard tokens > 0 else { return nil }
        switch self {
        case .thinking(let text): return .thinking(prefix(of: text, bytes: tokens * 4))
        case .text(let text): return .text(prefix(of: text, bytes: tokens * 4))
        case .compaction(let text): return .compaction(prefix(of: text, bytes: tokens * 4))
        case .search, .found: return nil
        case .toolUse(let id, let name, _): return .toolUse(id: id, name: name, input: Array("{}".utf8))
        }
    }
}

/// The longest prefix of whole characters (Unicode scalars) that fits into so many bytes.
func prefix(of text: String, bytes limit: Int) -> String {
    guard text.utf8.count > limit else { return text }
    var bytes = Array(text.utf8.prefix(limit + 1))
    while let last = bytes.popLast(), last & 0xC0 == 0x80 {}
    return String(decoding: bytes, as: UTF8.self)
}
