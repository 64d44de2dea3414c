/// What a model's tokens cost, in nano-dollars per token.
package struct Price: Hashable, Sendable {
    package var input: Int64
    package var output: Int64
    package var cacheWrite5m: Int64
    package var cacheWrite1h: Int64
    package var cacheRead: Int64
    /// A model that charges long prompts more does so for the whole call, its output included.
    package var longPrompt: LongPrompt?

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
        longPrompt: LongPrompt? = nil
    ) {
        self.input = input
        self.output = output
        self.cacheWrite5m = cacheWrite5m
        self.cacheWrite1h = cacheWrite1h
        self.cacheRead = cacheRead
        self.longPrompt = longPrompt
    }

    /// The cost of an answered call.
    package func cost(of usage: Usage) -> Money {
        let written5m = usage.cacheWriteTokens - usage.cacheWrite1hTokens
        let plain =
            usage.inputTokens * input + usage.outputTokens * output + written5m * cacheWrite5m
            + usage.cacheWrite1hTokens * cacheWrite1h + usage.cacheReadTokens * cacheRead
        let prompt = usage.inputTokens + usage.cacheWriteTokens + usage.cacheReadTokens
        return Money(nanodollars: plain * factor(prompt: prompt))
    }

    /// The most that a call can cost: `inputTokens` at the dearest input rate, and all of `maxTokens`.
    package func worstCase(inputTokens: Int64, maxTokens: Int64) -> Money {
        let plain = inputTokens * max(input, cacheWrite1h) + maxTokens * output
        return Money(nanodollars: plain * factor(prompt: inputTokens))
    }

    private func factor(prompt tokens: Int64) -> Int64 {
        guard let longPrompt, tokens > longPrompt.above else { return 1 }
        return longPrompt.factor
    }
}

/// Prices by model id, as published by Anthropic in August to November 2026 (US dollars per million tokens).
package enum PriceTable {
    /// The price of a model, or nil where none is known: its jobs then cost "0" and say so in the log.
    package static func price(of model: String) -> Price? {
        exact[model]
            ?? exact.filter { model.hasPrefix($0.key + "-") }.max { $0.key.utf8.count < $1.key.utf8.count }?
            .value
    }

    private static let exact: [String: Price] = [
        "claude-haiku-5-5": Price(
            input: 100, output: 500, cacheWrite5m: 125, cacheWrite1h: 200, cacheRead: 10,
            longPrompt: Price.LongPrompt(above: 100_000, factor: 5)),
        "claude-haiku-4-5": Price(
            input: 1000, output: 5000, cacheWrite5m: 1250, cacheWrite1h: 2000, cacheRead: 100),
        "claude-3-5-haiku": Price(
            input: 800, output: 4000, cacheWrite5m: 1000, cacheWrite1h: 1600, cacheRead: 80),
        "claude-3-haiku": Price(
            input: 250, output: 1250, cacheWrite5m: 300, cacheWrite1h: 500, cacheRead: 30),
        "claude-sonnet-5-5": Price(
            input: 2000, output: 10000, cacheWrite5m: 2500, cacheWrite1h: 4000, cacheRead: 100),
        "claude-sonnet-5": Price(
            input: 2000, output: 10000, cacheWrite5m: 2500, cacheWrite1h: 4000, cacheRead: 200),
        "claude-sonnet-4-6": Price(
            input: 3000, output: 15000, cacheWrite5m: 3750, cacheWrite1h: 6000, cacheRead: 300),
        "claude-sonnet-4-5": Price(
            input: 3000, output: 15000, cacheWrite5m: 3750, cacheWrite1h: 6000, cacheRead: 300),
        "claude-opus-5-5": Price(
            input: 4000, output: 20000, cacheWrite5m: 5000, cacheWrite1h: 8000, cacheRead: 200),
        "claude-opus-5": Price(
            input: 5000, output: 25000, cacheWrite5m: 6250, cacheWrite1h: 10000, cacheRead: 500),
        "claude-opus-4-8": Price(
            input: 5000, output: 25000, cacheWrite5m: 6250, cacheWrite1h: 10000, cacheRead: 500),
        "claude-opus-4-7": Price(
            input: 5000, output: 25000, cacheWrite5m: 6250, cacheWrite1h: 10000, cacheRead: 500),
        "claude-opus-4-6": Price(
            input: 5000, output: 25000, cacheWrite5m: 6250, cacheWrite1h: 10000, cacheRead: 500),
        "claude-opus-4-5": Price(
            input: 5000, output: 25000, cacheWrite5m: 6250, cacheWrite1h: 10000, cacheRead: 500),
        "claude-opus-4-1": Price(
            input: 15000, output: 75000, cacheWrite5m: 18750, cacheWrite1h: 30000, cacheRead: 1500),
        "claude-fable-5-1": Price(
            input: 10000, output: 50000, cacheWrite5m: 12500, cacheWrite1h: 20000, cacheRead: 250),
        "claude-fable-5": Price(
            input: 10000, output: 50000, cacheWrite5m: 12500, cacheWrite1h: 20000, cacheRead: 1000),
    ]
}
