import Jobs
import Testing

@Suite struct MoneyTests {
    @Test(
        arguments: [
            (0, "0.000000"), (275_000, "0.000275"), (1, "0.000000001"), (1_000_000_000, "1.000000"),
            (10, "0.00000001"),
            (-275_000, "-0.000275"), (12_345_678_901, "12.345678901"), (Int64.max, "9223372036.854775807"),
            (Int64.min, "-9223372036.854775808"),
        ] as [(Int64, String)])
    func `Money is written in dollars, with as many places as it needs`(nanodollars: Int64, text: String) {
        #expect(Money(nanodollars: nanodollars).description == text)
    }

    @Test(
        arguments: [
            ("0", 0), ("5", 5_000_000_000), ("0.000275", 275_000), ("1.5", 1_500_000_000), ("0.000000001", 1),
            ("007", 7_000_000_000),
            ("999999999.999999999", 999_999_999_999_999_999),
        ] as [(String, Int64)])
    func `Dollars are read exactly`(text: String, nanodollars: Int64) {
        #expect(Money(dollars: text)?.nanodollars == nanodollars)
    }

    @Test(arguments: [
        "", ".", "1.", ".5", "-1", "-0", "-0.5", "+1", "1e3", "1,5", "1.0000000001", "1.2.3", "$1", " 1",
        "1 ", "٣", "1.٣",
        "1000000000", "99999999999999999999",
    ])
    func `What is no amount is refused`(text: String) {
        #expect(Money(dollars: text) == nil)
    }

    @Test func `A call costs what each of its tokens costs`() throws {
        let price = try #require(PriceTable.price(of: "claude-haiku-4-5"))
        #expect(price.cost(of: Usage(inputTokens: 21, outputTokens: 4)).description == "0.000041")
        let cached = Usage(
            inputTokens: 1, outputTokens: 1, cacheWriteTokens: 30, cacheWrite1hTokens: 20, cacheReadTokens: 7)
        #expect(price.cost(of: cached).nanodollars == 1000 + 5000 + 10 * 1250 + 20 * 2000 + 7 * 100)
    }

    @Test func `No usage of so many tokens costs more than the worst case`() throws {
        for model in ["claude-haiku-4-5", "claude-haiku-5-5", "claude-opus-5-5"] {
            let price = try #require(PriceTable.price(of: model))
            for tokens in [Int64(1), 1000, 100_000, 100_001, 900_000] where tokens <= price.contextWindow {
                let worst = try #require(
                    price.worstCase(
                        CostBound(inputTokens: tokens, writes: .oneHour, webSearches: 2), maxTokens: 64))
                for usage in [
                    Usage(inputTokens: tokens, outputTokens: 64),
                    Usage(outputTokens: 64, cacheWriteTokens: tokens, cacheWrite1hTokens: tokens),
                    Usage(outputTokens: 64, cacheWriteTokens: tokens),
                    Usage(outputTokens: 64, cacheReadTokens: tokens),
                    Usage(inputTokens: tokens, outputTokens: 64, isBatch: true, webSearches: 2),
                    Usage(
                        outputTokens: 64, cacheWriteTokens: tokens, cacheWrite1hTokens: tokens, isInUS: true,
                        webSearches: 2),
                ] {
                    #expect(price.cost(of: usage) <= worst)
                }
            }
        }
    }

    @Test
    func `A call in the United States with all its searches can cost its worst case to the nano-dollar`()
        throws
    {
        let price = try #require(PriceTable.price(of: "claude-sonnet-4-6"))
        let bound = CostBound(inputTokens: 1000, writes: .none, webSearches: 3)
        let usage = Usage(inputTokens: 1000, outputTokens: 64, isInUS: true, webSearches: 3)
        // (1000 × 3000 + 64 × 15,000) × 1.1 + 3 × 10,000,000.
        #expect(price.cost(of: usage).nanodollars == 34_356_000)
        #expect(price.worstCase(bound, maxTokens: 64)?.nanodollars == 34_356_000)
    }

    @Test func `Searches that nothing limits have no worst case, unless they are free`() throws {
        var price = try #require(PriceTable.price(of: "claude-haiku-4-5"))
        let bound = CostBound(inputTokens: 10, writes: .none, webSearches: nil)
        #expect(price.worstCase(bound, maxTokens: 1) == nil)
        price.webSearch = 0
        #expect(price.worstCase(bound, maxTokens: 1)?.nanodollars == 15_000)
    }

    @Test
    func `Haiku 5.5 charges a prompt above 100,000 tokens five times the price, cached tokens included`()
        throws
    {
        let price = try #require(PriceTable.price(of: "claude-haiku-5-5"))
        let short = Usage(
            inputTokens: 40_000, outputTokens: 10, cacheWriteTokens: 30_000, cacheReadTokens: 30_000)
        var long = short
        long.cacheReadTokens += 1
        #expect(price.cost(of: short).nanodollars == 4_000_000 + 5000 + 3_750_000 + 300_000)
        #expect(price.cost(of: long).nanodollars == 5 * (price.cost(of: short).nanodollars + 10))
    }

    @Test(
        arguments: [
            ("claude-haiku-4-5", 1000), ("claude-haiku-4-5-20251001", 1000), ("claude-3-5-haiku-latest", 800),
            ("claude-opus-5", 5000), ("claude-opus-5-5", 4000), ("claude-opus-5-5-20270101", 4000),
            ("claude-fable-5-1", 10_000),
            ("claude-haiku-4-50", nil), ("claude-haiku-4", nil), ("gpt-5", nil), ("", nil),
        ] as [(String, Int64?)])
    func `A model's price is found by its id, dated or not`(model: String, input: Int64?) {
        #expect(PriceTable.price(of: model)?.input == input)
    }
}
