/// What a model's calls cost, in nano-dollars: per token, and per search on the web.
package struct Price: Hashable, Sendable {
    package var input: Int64
    package var output: Int64
    package var cacheWrite5m: Int64
    package var cacheWrite1h: Int64
    package var cacheRead: Int64
    /// A model that charges long prompts more does so for the whole call, its output included.
    package var longPrompt: LongPrompt?
    /// What a call costs that is answered within the United States only, in percent; the fees of searches stay.
    package var usPercent: Int64
    /// The fee of one search on the web, whatever the tier.
    package var webSearch: Int64
    /// The most tokens that a prompt can have.
    package var contextWindow: Int64

    /// Ten US dollars for a thousand, with all models.
    ///
    /// https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool
    package static let usualWebSearch: Int64 = 10_000_000

    package struct LongPrompt: Hashable, Sendable {
        /// Tokens of prompt, cached ones included, up to which the plain price holds.
        package var above: Int64
        package var factor: Int64

        package init(above: Int64, factor: Int64) {
            self.above = above
            self.factor = factor
        }
    }

    package init(
        input: Int64, output: Int64, cacheWrite5m: Int64, cacheWrite1h: Int64, cacheRead: Int64,
        longPrompt: LongPrompt? = nil, usPercent: Int64 = 100, webSearch: Int64 = usualWebSearch,
        contextWindow: Int64 = 200_000
    ) {
        self.input = input
        self.output = output
        self.cacheWrite5m = cacheWrite5m
        self.cacheWrite1h = cacheWrite1h
        self.cacheRead = cacheRead
        self.longPrompt = longPrompt
        self.usPercent = usPercent
        self.webSearch = webSearch
        self.contextWindow = contextWindow
    }

    /// The cost of an answered call: half of its tokens' in the batch tier, a fraction of a nano-dollar rounded up.
    package func cost(of usage: Usage) -> Money {
        let written5m = usage.cacheWriteTokens - min(usage.cacheWriteTokens, usage.cacheWrite1hTokens)
        let plain = Self.sum([
            (usage.inputTokens, input), (usage.outputTokens, output), (written5m, cacheWrite5m),
            (usage.cacheWrite1hTokens, cacheWrite1h), (usage.cacheReadTokens, cacheRead),
        ])
        let prompt = [usage.inputTokens, usage.cacheWriteTokens, usage.cacheReadTokens]
            .reduce(Int64(0)) { $0.addingSaturated($1) }
        let percent = factor(prompt: prompt).multipliedSaturated(by: usage.isInUS ? usPercent : 100)
        let tokens = Self.share(percent, of: plain, in: usage.isBatch ? 200 : 100)
        return Self.bounded(tokens, searches: usage.webSearches, webSearch)
    }

    /// More than any single call costs by any price list: a million dollars.
    ///
    /// Sums of such amounts have room.
    package static let mostPerCall = Money(nanodollars: 1_000_000_000_000_000)

    /// More searches than any call makes; what an answer says beyond them is not believed.
    private static let mostSearches: Int64 = 1_000

    /// What a call of which nothing was reserved can cost at most: a full context, written to the cache, as much output,
    /// and a thousand searches.
    package var mostBelievable: Money {
        let bound = CostBound(inputTokens: nil, writes: .oneHour, webSearches: Self.mostSearches)
        return worstCase(bound, maxTokens: contextWindow) ?? Self.mostPerCall
    }

    private static func sum(_ parts: [(count: Int64, price: Int64)]) -> Int64 {
        parts.reduce(Int64(0)) { $0.addingSaturated($1.count.multipliedSaturated(by: $1.price)) }
    }

    private static func bounded(_ tokens: Int64, searches: Int64, _ fee: Int64) -> Money {
        let sum = tokens.addingSaturated(searches.multipliedSaturated(by: fee))
        return min(Money(nanodollars: sum), mostPerCall)
    }

    /// The most that a call can cost: the bound's tokens at the dearest input rate that can apply, all of `maxTokens`, and
    /// all searches; half of the tokens' in the batch tier; nil if nothing limits the searches.
    ///
    /// A workspace may have its calls answered in the United States without their saying so
    /// (https://platform.claude.com/docs/en/manage-claude/data-residency): that is always taken into account.
    package func worstCase(_ bound: CostBound, maxTokens: Int64, isBatch: Bool = false) -> Money? {
        guard let searches = webSearch == 0 ? 0 : bound.webSearches else { return nil }
        let tokens = min(bound.inputTokens ?? contextWindow, contextWindow)
        let rate =
            switch bound.writes {
            case .none: input
            case .fiveMinutes: max(input, cacheWrite5m)
            case .oneHour: max(input, cacheWrite5m, cacheWrite1h)
            }
        let percent = factor(prompt: tokens).multipliedSaturated(by: max(100, usPercent))
        let plain = Self.sum([(tokens, rate), (maxTokens, output)])
        let most = Self.share(percent, of: plain, in: isBatch ? 200 : 100)
        return Self.bounded(most, searches: searches, webSearch)
    }

    private static func share(_ part: Int64, of amount: Int64, in whole: Int64) -> Int64 {
        amount.multipliedSaturated(by: part).addingSaturated(whole - 1) / whole
    }

    private func factor(prompt tokens: Int64) -> Int64 {
        guard let longPrompt, tokens > longPrompt.above else { return 1 }
        return longPrompt.factor
    }
}

/// What models' tokens cost and since when: renga's own table, and what the operator says over it.
package struct PriceTable: Sendable {
    /// A price from a moment on; nil for always.
    package struct Entry: Hashable, Sendable {
        package var from: Timestamp?
        package var price: Price

        package init(from: Timestamp? = nil, price: Price) {
            self.from = from
            self.price = price
        }
    }

    /// By model id, in the order of their dates.
    private let overrides: [Substring: [Entry]]
    private let routes: [RouteKey: [Entry]]

    /// A model in `overrides` has these prices only; a route's own price goes before all.
    package init(overrides: [String: [Entry]] = [:], routes: [RouteKey: [Entry]] = [:]) {
        self.routes = routes.mapValues(Self.byDate)
        self.overrides = Self.byID(overrides.mapValues(Self.byDate))
    }

    private static func byDate(_ entries: [Entry]) -> [Entry] {
        entries.sorted { ($0.from?.milliseconds ?? .min) < ($1.from?.milliseconds ?? .min) }
    }

    /// Keys that a part of a model's name finds without becoming a string of its own.
    static func byID(_ entries: [String: [Entry]]) -> [Substring: [Entry]] {
        Dictionary(uniqueKeysWithValues: entries.map { ($0.key[...], $0.value) })
    }

    private static func inForce(_ entries: [Entry]?, at time: Timestamp) -> Price? {
        entries?.last { ($0.from?.milliseconds ?? .min) <= time.milliseconds }?.price
    }

    /// With the prices that the configuration states for routes.
    package init(_ table: RouteTable) {
        let stated = table.routes.filter { !$0.prices.isEmpty }.map { ($0.key, $0.prices) }
        self.init(routes: Dictionary(stated) { first, _ in first })
    }

    /// As published by Anthropic.
    package static let standard = PriceTable()

    /// The price of a model at that time, or nil if none is known.
    ///
    /// An id with something behind it (`claude-haiku-4-5-20251001`) has the price of the longest id that it begins with.
    package func price(of model: String, at time: Timestamp) -> Price? {
        Self.inForce(Self.find(model, in: overrides) ?? Self.find(model, in: Self.published), at: time)
    }

    /// The price of a route, as the operator stated it or by its model; `answeredBy` is the exact model that answered,
    /// if that is known.
    package func price(of route: RouteKey, answeredBy model: String? = nil, at time: Timestamp) -> Price? {
        Self.inForce(routes[route], at: time) ?? model.flatMap { price(of: $0, at: time) }
            ?? price(of: route.model, at: time)
    }

    /// Models whose price was published.
    package static var models: [String] { published.keys.map(String.init).sorted(by: >) }

    /// The newest price in renga's own table.
    package static func price(of model: String) -> Price? {
        find(model, in: published)?.last?.price
    }

    /// Cuts the id from dash to dash, as every call asks and a look at the whole table would cost more than the rest.
    private static func find(_ model: String, in table: [Substring: [Entry]]) -> [Entry]? {
        guard !table.isEmpty else { return nil }
        var id = model[...]
        while true {
            if let entries = table[id] { return entries }
            guard let dash = id.utf8.lastIndex(of: UInt8(ascii: "-")) else { return nil }
            id = id[..<dash]
        }
    }
}
