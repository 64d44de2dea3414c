import Jobs
import Testing

/// What others say, cut to size where it comes in.
@Suite struct ProviderTextTests {
    private static let long = String(repeating: "x", count: 5 << 20)

    @Test func `Texts of a provider are cut to what names and messages have`() {
        let answer = Answer(body: [], model: Self.long, usage: Usage(), stopReason: Self.long)
        #expect(answer.model.count == Excerpt.nameLength && answer.stopReason.count == Excerpt.nameLength)
        let refusal = Refusal(status: 500, type: Self.long, code: Self.long, message: Self.long)
        #expect(refusal.type?.count == Excerpt.nameLength && refusal.code?.count == Excerpt.nameLength)
        #expect(refusal.message.count == Excerpt.lineLength && refusal.message.hasSuffix("…"))
        let outcome = Outcome(.abandoned(sent: false), requestID: Self.long)
        #expect(outcome.requestID?.count == Excerpt.nameLength)
        #expect(Breakage(kind: .reset, message: Self.long, maySent: true).message.count == Excerpt.lineLength)
    }

    @Test(arguments: [
        ("claude-haiku-4-5-20251001", "claude-haiku-4-5-20251001"), ("a\u{1B}[2Jb", "a [2Jb"),
        ("a\u{9B}31mb", "a 31mb"),
        ("\n\r\ta \u{85} b\u{7F}", "a b"), ("é“–”", "é“–”"), ("", ""), ("\u{0}", ""),
    ])
    func `Excerpts are one line without controls`(text: String, excerpt: String) {
        #expect(Excerpt.name(text) == excerpt && Excerpt.line(text) == excerpt)
    }

    @Test func `A letter of a million marks is cut too`() {
        let text = "a" + String(repeating: "\u{301}", count: 1 << 20)
        #expect(Excerpt.line(text).utf8.count < 10_000)
    }

    @Test func `Money neither overflows nor wraps around`() {
        let most = Money(nanodollars: .max)
        let least = Money(nanodollars: .min)
        #expect(most + most == most && least + least == least)
        #expect(least - most == least && most - least == most && Money.zero - least == most)
        #expect(most - most == .zero)
    }

    @Test func `No call costs more than a million dollars, whatever its usage and its price`() {
        let price = Price(
            input: .max, output: .max, cacheWrite5m: .max, cacheWrite1h: .max, cacheRead: .max,
            longPrompt: .init(above: 0, factor: .max), usPercent: .max, webSearch: .max, contextWindow: .max)
        let usage = Usage(
            inputTokens: .max, outputTokens: .max, cacheWriteTokens: .max, cacheWrite1hTokens: 0,
            cacheReadTokens: .max, isInUS: true, webSearches: .max)
        #expect(price.cost(of: usage) == Price.mostPerCall)
        let bound = CostBound(inputTokens: nil, writes: .oneHour, webSearches: .max)
        #expect(price.worstCase(bound, maxTokens: .max) == Price.mostPerCall)
        #expect(price.mostBelievable == Price.mostPerCall)
    }
}
