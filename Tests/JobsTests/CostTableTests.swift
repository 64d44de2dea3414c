import Jobs
import Testing

/// Costs against sums done by hand from the published prices, in US dollars per million tokens.
@Suite struct CostTableTests {
    struct Row: Sendable {
        let model: String
        let usage: Usage
        let dollars: String
    }

    private static let rows: [Row] = [
        // 21 × $1 + 4 × $5 per million.
        Row(
            model: "claude-haiku-4-5-20251001", usage: Usage(inputTokens: 21, outputTokens: 4),
            dollars: "0.000041"),
        // 5,000 written for 5 minutes × $1.25 + 10 × $1 + 7 × $5.
        Row(
            model: "claude-haiku-4-5",
            usage: Usage(inputTokens: 10, outputTokens: 7, cacheWriteTokens: 5_000),
            dollars: "0.006295"),
        // 5,000 written, 3,000 of them for an hour: 2,000 × $1.25 + 3,000 × $2 + 10 × $1 + 7 × $5.
        Row(
            model: "claude-haiku-4-5",
            usage: Usage(
                inputTokens: 10, outputTokens: 7, cacheWriteTokens: 5_000, cacheWrite1hTokens: 3_000),
            dollars: "0.008545"),
        // 5,000 read × $0.10 + 10 × $1 + 7 × $5.
        Row(
            model: "claude-haiku-4-5", usage: Usage(inputTokens: 10, outputTokens: 7, cacheReadTokens: 5_000),
            dollars: "0.000545"),
        // The batch tier: half of 21 × $1 + 4 × $5.
        Row(
            model: "claude-haiku-4-5", usage: Usage(inputTokens: 21, outputTokens: 4, isBatch: true),
            dollars: "0.0000205"),
        // 100,000 in × $0.10 + 100 × $0.50: not yet long.
        Row(
            model: "claude-haiku-5-5", usage: Usage(inputTokens: 100_000, outputTokens: 100),
            dollars: "0.01005"),
        // 60,001 × $0.50 + 40,000 read × $0.05 + 100 × $2.50: long, and so is its output.
        Row(
            model: "claude-haiku-5-5",
            usage: Usage(inputTokens: 60_001, outputTokens: 100, cacheReadTokens: 40_000),
            dollars: "0.0322505"),
        // The same in the batch tier: half of it.
        Row(
            model: "claude-haiku-5-5",
            usage: Usage(inputTokens: 60_001, outputTokens: 100, cacheReadTokens: 40_000, isBatch: true),
            dollars: "0.01612525"),
        // One written token: $0.125 per million is 125 nano-dollars, half of that 62.5, rounded up.
        Row(
            model: "claude-haiku-5-5", usage: Usage(cacheWriteTokens: 1, isBatch: true),
            dollars: "0.000000063"),
        // Rounded prices of an old model: 1,000 × $0.30 + 1,000 × $0.03 + 3 × $0.25 + 2 × $1.25.
        Row(
            model: "claude-3-haiku-20240307",
            usage: Usage(inputTokens: 3, outputTokens: 2, cacheWriteTokens: 1_000, cacheReadTokens: 1_000),
            dollars: "0.00033325"),
        // 1,234 × $0.80 + 567 × $4.
        Row(
            model: "claude-3-5-haiku-20241022", usage: Usage(inputTokens: 1_234, outputTokens: 567),
            dollars: "0.0032552"),
        // 1,000 × $3 + 1,000 × $15 + 200 read × $0.30.
        Row(
            model: "claude-sonnet-4-5-20250929",
            usage: Usage(inputTokens: 1_000, outputTokens: 1_000, cacheReadTokens: 200), dollars: "0.01806"),
        // 100 × $15 + 10 × $75 + 10 × $18.75.
        Row(
            model: "claude-opus-4-1-20250805",
            usage: Usage(inputTokens: 100, outputTokens: 10, cacheWriteTokens: 10), dollars: "0.0024375"),
        // 100 × $10 + 10 × $50 + 1,000 × $0.25.
        Row(
            model: "claude-fable-5-1",
            usage: Usage(inputTokens: 100, outputTokens: 10, cacheReadTokens: 1_000),
            dollars: "0.00175"),
    ]

    /// What comes on top of the tokens' price.
    private static let modifiers: [Row] = [
        // Within the United States: 1.1 times 100 × $3 + 10 × $15.
        Row(
            model: "claude-sonnet-4-6", usage: Usage(inputTokens: 100, outputTokens: 10, isInUS: true),
            dollars: "0.000495"),
        // A long prompt there: 1.1 times 100,001 × $0.50 + 100 × $2.50.
        Row(
            model: "claude-haiku-5-5", usage: Usage(inputTokens: 100_001, outputTokens: 100, isInUS: true),
            dollars: "0.05527555"),
        // One written token there in the batch tier: 125 × 1.1 / 2 nano-dollars are 68.75, rounded up.
        Row(
            model: "claude-haiku-5-5", usage: Usage(cacheWriteTokens: 1, isBatch: true, isInUS: true),
            dollars: "0.000000069"),
        // 1,000 × $1 + 100 × $5 per million, and three searches at a cent each.
        Row(
            model: "claude-haiku-4-5",
            usage: Usage(inputTokens: 1_000, outputTokens: 100, webSearches: 3), dollars: "0.0315"),
        // In the batch tier half of the tokens, and all of the searches.
        Row(
            model: "claude-haiku-4-5",
            usage: Usage(inputTokens: 1_000, outputTokens: 100, isBatch: true, webSearches: 3),
            dollars: "0.03075"),
        // 100 × $8 + 10 × $40.
        Row(
            model: "claude-fable-5-2", usage: Usage(inputTokens: 100, outputTokens: 10), dollars: "0.0012"),
    ]

    private let november = Timestamp(text: "2026-11-20T12:00:00Z")

    @Test(arguments: rows + modifiers) func `A call costs what was summed up by hand`(row: Row) throws {
        let now = try #require(november)
        let price = try #require(PriceTable.standard.price(of: row.model, at: now))
        #expect(price.cost(of: row.usage) == Money(dollars: row.dollars))
    }

    @Test func `A thousand mixed calls cost the sum of their rows, to the nano-dollar`() throws {
        let now = try #require(november)
        var total = Money.zero
        for index in 0..<1_000 {
            let row = Self.rows[index % Self.rows.count]
            let price = try #require(PriceTable.standard.price(of: row.model, at: now))
            total = total + price.cost(of: row.usage)
        }
        // 71 times all 14 rows, and the first 6 once more.
        let rows = try Self.rows.map { try #require(Money(dollars: $0.dollars)).nanodollars }
        #expect(total.nanodollars == 71 * rows.reduce(0, +) + rows.prefix(6).reduce(0, +))
        #expect(total.description == "7.104783173")
    }

    @Test func `A price holds from its date on`() throws {
        let read = Usage(cacheReadTokens: 1_000_000)
        let table = PriceTable.standard
        let before = try #require(Timestamp(text: "2026-10-06T23:59:59.999Z"))
        let after = try #require(Timestamp(text: "2026-10-07T00:00:00Z"))
        #expect(table.price(of: "claude-sonnet-5-5", at: before)?.cost(of: read) == Money(dollars: "0.2"))
        #expect(table.price(of: "claude-sonnet-5-5", at: after)?.cost(of: read) == Money(dollars: "0.1"))
    }

    @Test func `The operator's prices go before the published ones, each from its date`() throws {
        let date = try #require(Timestamp(text: "2027-01-01T00:00:00Z"))
        let cheap = Price(input: 1, output: 2, cacheWrite5m: 3, cacheWrite1h: 4, cacheRead: 5)
        let dear = Price(input: 10, output: 20, cacheWrite5m: 30, cacheWrite1h: 40, cacheRead: 50)
        let table = PriceTable(overrides: [
            "claude-haiku-4-5": [.init(from: date, price: dear), .init(price: cheap)],
            "house-model": [.init(from: date, price: dear)],
        ])
        #expect(table.price(of: "claude-haiku-4-5-20251001", at: date + -1) == cheap)
        #expect(table.price(of: "claude-haiku-4-5-20251001", at: date) == dear)
        #expect(table.price(of: "house-model", at: date + -1) == nil)
        #expect(table.price(of: "claude-sonnet-5", at: date)?.input == 2000)
    }

    @Test func `A refusal before any output is not billed, a later one is`() {
        func answer(_ content: String) -> Answer {
            Answer(
                body: Array(#"{"type":"message","content":\#(content)}"#.utf8), model: "m", usage: Usage(),
                stopReason: "refusal")
        }
        #expect(!answer("[]").isBilled)
        #expect(answer(#"[{"type":"text","text":"I"}]"#).isBilled)
    }
}
