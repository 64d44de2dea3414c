import JSON
import Synchronization

/// Prompt caching as far as accounting goes: what would be read and written, at which breakpoints, for how long.
///
/// A prefix is known by a running hash over tools, system and messages, in that order. Entries become readable once
/// the answer that wrote them has begun, so identical requests at the same time all miss.
final class PromptCache: Sendable {
    /// How a prompt splits into cached and uncached tokens, and what to remember once its answer has begun.
    struct Accounting: Sendable {
        var usage: Usage
        fileprivate var entries: [(key: UInt64, lifetime: Int64)] = []
        fileprivate(set) var breakpoints = 0
    }

    /// Beyond it the cache starts afresh, so that memory stays bounded.
    private static let maximumEntries = 100_000
    private static let lookBack = 20
    static let maximumBreakpoints = 4

    private let expiries = Mutex<[UInt64: (expiry: Int64, lifetime: Int64)]>([:])

    func account(for call: MessagesCall, at now: Int64) throws(APIError) -> Accounting {
        guard call.body.raw.contains(cacheControl) else {
            return Accounting(usage: Usage(input: call.promptTokens))
        }
        let blocks = Prefix(call).blocks
        let marked = blocks.indices.filter { blocks[$0].lifetime != nil }
        guard marked.count <= Self.maximumBreakpoints else {
            throw .invalid("A maximum of 4 blocks with cache_control may be provided. Found \(marked.count).")
        }
        guard let last = marked.last, blocks[last].tokens >= call.model.minimumCacheable else {
            return Accounting(usage: Usage(input: call.promptTokens), breakpoints: marked.count)
        }
        return split(call, blocks, marked, readable: longestHit(blocks, marked, at: now))
    }

    /// Remembers what a call wrote, once its answer has begun.
    func begin(_ accounting: Accounting, at now: Int64) {
        guard !accounting.entries.isEmpty else { return }
        expiries.withLock { expiries in
            if expiries.count > Self.maximumEntries { expiries = [:] }
            for (key, lifetime) in accounting.entries { expiries[key] = (now + lifetime, lifetime) }
        }
    }

    func reset() {
        expiries.withLock { $0 = [:] }
    }

    /// The last block of the longest prefix that is still there; a hit is refreshed.
    private func longestHit(_ blocks: [Prefix.Block], _ marked: [Int], at now: Int64) -> Int? {
        expiries.withLock { expiries in
            for breakpoint in marked.reversed() {
                for at in stride(from: breakpoint, through: max(0, breakpoint - Self.lookBack), by: -1) {
                    guard let entry = expiries[blocks[at].key], entry.expiry > now else { continue }
                    expiries[blocks[at].key] = (now + entry.lifetime, entry.lifetime)
                    return at
                }
            }
            return nil
        }
    }

    private func split(
        _ call: MessagesCall, _ blocks: [Prefix.Block], _ marked: [Int], readable: Int?
    ) -> Accounting {
        var usage = Usage()
        usage.read = readable.map { blocks[$0].tokens } ?? 0
        var known = usage.read
        for at in marked where blocks[at].tokens > known {
            let isLong = blocks[at].lifetime == Prefix.hour
            let written = blocks[at].tokens - known
            if isLong { usage.written1h += written } else { usage.written5m += written }
            known = blocks[at].tokens
        }
        usage.input = max(0, call.promptTokens - known)
        var accounting = Accounting(usage: usage, breakpoints: marked.count)
        accounting.entries = marked.compactMap { at in
            guard at > readable ?? -1, blocks[at].tokens >= call.model.minimumCacheable else { return nil }
            return (blocks[at].key, blocks[at].lifetime ?? Prefix.fiveMinutes)
        }
        return accounting
    }
}

private let cacheControl = Array("\"cache_control\"".utf8)

extension ArraySlice<UInt8> {
    fileprivate func contains(_ pattern: [UInt8]) -> Bool {
        Array(self).firstRange(of: pattern) != nil
    }
}

/// A prompt as the blocks that caching sees.
private struct Prefix {
    struct Block {
        /// Of all bytes up to and with this block.
        let key: UInt64
        /// Of the prompt up to and with this block.
        let tokens: Int
        /// Milliseconds, if there is a breakpoint.
        var lifetime: Int64?
    }

    static let fiveMinutes: Int64 = 300_000
    static let hour: Int64 = 3_600_000

    private(set) var blocks: [Block] = []
    private var key: UInt64 = 0xCBF2_9CE4_8422_2325
    private var tokens = 0

    init(_ call: MessagesCall) {
        mix(Array(call.model.id.utf8)[...])
        if !call.tools.isEmpty { tokens += call.model.toolTokens(isForced: call.toolChoice.isForced) }
        for tool in call.body["tools"]?.elements ?? [] { append(tool) }
        for block in Self.parts(call.body["system"]) { append(block) }
        for message in call.body["messages"]?.elements ?? [] {
            mix(Array((message["role"]?.string ?? "").utf8)[...])
            tokens += TokenCount.perMessage
            for block in Self.parts(message["content"]) { append(block) }
        }
        guard let lifetime = Self.lifetime(call.body["cache_control"]), !blocks.isEmpty else { return }
        blocks[blocks.count - 1].lifetime = blocks[blocks.count - 1].lifetime ?? lifetime
    }

    private static func parts(_ content: JSON?) -> [JSON] {
        guard let content, !content.isNull else { return [] }
        return content.elements ?? [content]
    }

    /// The breakpoint itself is no part of what is hashed, so that it can move as a conversation grows.
    private mutating func append(_ block: JSON) {
        var bytes: [UInt8] = []
        block.appendCanonical(to: &bytes, omitting: ["cache_control"])
        mix(bytes[...])
        tokens += TokenCount.text(bytes: block["text"]?.raw.count ?? block.raw.count)
        blocks.append(Block(key: key, tokens: tokens, lifetime: Self.lifetime(block["cache_control"])))
    }

    // FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/): tests have no adversary.
    private mutating func mix(_ bytes: ArraySlice<UInt8>) {
        for byte in bytes { key = (key ^ UInt64(byte)) &* 0x100_0000_01B3 }
        key = (key ^ 0xFF) &* 0x100_0000_01B3
    }

    private static func lifetime(_ control: JSON?) -> Int64? {
        guard let control, control.kind == .object else { return nil }
        return control["ttl"]?.string == "1h" ? hour : fiveMinutes
    }
}
