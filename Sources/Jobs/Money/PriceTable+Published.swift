// Prices as published by Anthropic in August to November 2026, in nano-dollars per token: the thousandfold of US dollars
// per million tokens. Models from 4.6 on may be asked to answer within the United States, for 10 % more.

extension PriceTable {
    static let published = byID(current.mapValues { [Entry(price: $0)] }.merging(changed) { $1 })

    /// Models whose price has changed since they came out.
    private static let changed: [String: [Entry]] = [
        "claude-sonnet-5-5": [
            Entry(price: sonnet5(cacheRead: 200)),
            // 2026-10-07T00:00:00Z
            Entry(from: Timestamp(milliseconds: 1_791_331_200_000), price: sonnet5(cacheRead: 100)),
        ]
    ]

    private static func sonnet5(cacheRead: Int64) -> Price {
        Price(
            input: 2000, output: 10000, cacheWrite5m: 2500, cacheWrite1h: 4000, cacheRead: cacheRead,
            usPercent: 110, contextWindow: 1_000_000)
    }

    private static let opus = Price(
        input: 5000, output: 25000, cacheWrite5m: 6250, cacheWrite1h: 10000, cacheRead: 500,
        usPercent: 110, contextWindow: 1_000_000)

    private static let current: [String: Price] = [
        "claude-haiku-5-5": Price(
            input: 100, output: 500, cacheWrite5m: 125, cacheWrite1h: 200, cacheRead: 10,
            longPrompt: Price.LongPrompt(above: 100_000, factor: 5), usPercent: 110, contextWindow: 1_000_000),
        "claude-haiku-4-5": Price(
            input: 1000, output: 5000, cacheWrite5m: 1250, cacheWrite1h: 2000, cacheRead: 100),
        "claude-3-5-haiku": Price(
            input: 800, output: 4000, cacheWrite5m: 1000, cacheWrite1h: 1600, cacheRead: 80),
        "claude-3-haiku": Price(
            input: 250, output: 1250, cacheWrite5m: 300, cacheWrite1h: 500, cacheRead: 30),
        "claude-sonnet-5": sonnet5(cacheRead: 200),
        "claude-sonnet-4-6": Price(
            input: 3000, output: 15000, cacheWrite5m: 3750, cacheWrite1h: 6000, cacheRead: 300,
            usPercent: 110, contextWindow: 1_000_000),
        "claude-sonnet-4-5": Price(
            input: 3000, output: 15000, cacheWrite5m: 3750, cacheWrite1h: 6000, cacheRead: 300),
        "claude-opus-5-5": Price(
            input: 4000, output: 20000, cacheWrite5m: 5000, cacheWrite1h: 8000, cacheRead: 200,
            usPercent: 110, contextWindow: 1_000_000),
        "claude-opus-5": opus,
        "claude-opus-4-8": opus,
        "claude-opus-4-7": opus,
        "claude-opus-4-6": opus,
        "claude-opus-4-5": Price(
            input: 5000, output: 25000, cacheWrite5m: 6250, cacheWrite1h: 10000, cacheRead: 500),
        "claude-opus-4-1": Price(
            input: 15000, output: 75000, cacheWrite5m: 18750, cacheWrite1h: 30000, cacheRead: 1500),
        "claude-opus-4": Price(
            input: 15000, output: 75000, cacheWrite5m: 18750, cacheWrite1h: 30000, cacheRead: 1500),
        // Its cache prices were not published: the usual multiples stand for them.
        "claude-fable-5-2": Price(
            input: 8000, output: 40000, cacheWrite5m: 10000, cacheWrite1h: 16000, cacheRead: 800,
            usPercent: 110, contextWindow: 1_000_000),
        "claude-fable-5-1": Price(
            input: 10000, output: 50000, cacheWrite5m: 12500, cacheWrite1h: 20000, cacheRead: 250,
            usPercent: 110, contextWindow: 1_000_000),
        "claude-fable-5": Price(
            input: 10000, output: 50000, cacheWrite5m: 12500, cacheWrite1h: 20000, cacheRead: 1000,
            usPercent: 110, contextWindow: 1_000_000),
    ]
}
