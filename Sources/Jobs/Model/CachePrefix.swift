import Crypto
package import JSON

/// The part of a request that its caller has marked for the provider's prompt cache: tools and system instructions.
///
/// An entry becomes readable only once the answer that wrote it has begun, so requests sent side by side would all pay
/// for writing it. Source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching
package struct CachePrefix: Hashable, Sendable {
    /// 32 bytes.
    package var hash: [UInt8]
    /// How long the provider keeps an entry after its last use.
    package var lifetime: Milliseconds

    /// Shorter ones are never cached: the least is 512 tokens, of four bytes or so.
    private static let leastBytes = 2_048
    private static let fiveMinutes: Milliseconds = 300_000
    private static let oneHour: Milliseconds = 3_600_000

    package init(hash: [UInt8], lifetime: Milliseconds) {
        self.hash = hash
        self.lifetime = lifetime
    }

    /// Nil if nothing is marked, or too little.
    package init?(request: JSON, betas: [String] = []) {
        let tools = request["tools"]?.elements ?? []
        let system = request["system"]?.elements ?? []
        let last = system.lastIndex(where: Self.isMarked)
        guard last != nil || tools.contains(where: Self.isMarked) else { return nil }
        let parts = tools + system.prefix(last.map { $0 + 1 } ?? 0)
        var text = Array("\(request["model"]?.string ?? "")\n\(betas.sorted().joined(separator: ","))\n".utf8)
        let start = text.count
        for part in parts { part.appendCanonical(to: &text) }
        guard text.count - start >= Self.leastBytes else { return nil }
        hash = SHA256.hash(text)
        // An entry that lives for an hour comes before those of five minutes.
        let isLong = parts.contains { $0["cache_control"]?["ttl"]?.string == "1h" }
        lifetime = isLong ? Self.oneHour : Self.fiveMinutes
    }

    private static func isMarked(_ block: JSON) -> Bool {
        block["cache_control"].map { !$0.isNull } ?? false
    }
}
