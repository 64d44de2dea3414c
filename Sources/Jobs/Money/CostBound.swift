package import JSON

/// The most tokens that a request's prompt can be, computed from its bytes alone.
///
/// A token is at least one byte of text, whatever the model's tokenizer does; what the provider adds by itself
/// (roles, tool instructions) is bounded by the constants below, generously. If the request points elsewhere
/// (a file, a document's address, server tools) only the model's context window bounds it.
package struct CostBound: Hashable, Sendable {
    /// The dearest way in which a prompt's tokens may be charged.
    package enum CacheWrites: Int, Sendable {
        case none
        case fiveMinutes
        case oneHour
    }

    /// Nil if only the context window bounds it.
    package var inputTokens: Int64?
    package var writes: CacheWrites
    /// Searches on the web, each with a fee; nil if the request lets the model search as often as it likes.
    package var webSearches: Int64?
    /// Whether all that shapes the answer is in the request itself; only then may others have the answer too.
    ///
    /// False for a conversation that the provider keeps, files, addresses, and for every member that is not known.
    package var isSelfContained = true

    package init(inputTokens: Int64?, writes: CacheWrites, webSearches: Int64? = 0) {
        self.inputTokens = inputTokens
        self.writes = writes
        self.webSearches = webSearches
    }

    /// For a request of which nothing is known.
    package static let unknown = CostBound(inputTokens: nil, writes: .oneHour, webSearches: nil)

    /// The bound of a Messages request.
    package init(request: JSON) {
        var measure = PromptMeasure()
        measure.add(request: request)
        self.init(
            inputTokens: measure.isUnbounded ? nil : measure.tokens,
            writes: measure.hasUnknown
                ? .oneHour
                : request.raw.mentions(#""cache_control""#)
                    ? request.raw.mentions(#""1h""#) ? .oneHour : .fiveMinutes : .none,
            webSearches: Self.webSearches(request))
        isSelfContained = !measure.pointsElsewhere
    }

    /// More than anybody means by a limit; it counts as none.
    private static let mostSearches: Int64 = 1_000_000

    private static func webSearches(_ request: JSON) -> Int64? {
        var sum: Int64 = 0
        for tool in request["tools"]?.elements ?? []
        where tool["type"]?.string?.hasPrefix("web_search_") == true {
            guard let most = tool["max_uses"]?.int.map(Int64.init), most <= mostSearches else { return nil }
            sum += max(0, most)
        }
        return sum
    }
}

extension ArraySlice<UInt8> {
    /// Whether these bytes, which begin with a quote, occur in here.
    fileprivate func mentions(_ text: StaticString) -> Bool {
        let needle = Array("\(text)".utf8)
        guard count >= needle.count, let first = needle.first else { return false }
        for start in startIndex...(endIndex - needle.count) where self[start] == first {
            if self[start..<start + needle.count].elementsEqual(needle) { return true }
        }
        return false
    }
}
