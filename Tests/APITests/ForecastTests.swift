import JSON
import Jobs
import Testing

@testable import API

@Suite("What a dry run tells of costs")
struct ForecastTests {
    private func dry(_ line: String, _ harness: Harness = Harness(), query: String = "") async throws -> JSON
    {
        let answer = try await harness.send("POST", "/v1/jobs/bulk?dry_run=true" + query, line + "\n")
        return try #require(try answer.lines.first)
    }

    @Test("half the price where the job goes with a batch, and the whole one elsewhere")
    func halfPrice() async throws {
        let harness = Harness({ $0.halfPrice = HalfPriceTerms(services: [.test]) })
        let whole = try await dry(#"{"prompt":"a","max_tokens":1000}"#, harness)
        let half = try await dry(#"{"prompt":"a","max_tokens":1000,"deadline":"24h"}"#, harness)
        #expect(whole["half_price"]?.bool == false && half["half_price"]?.bool == true)
        let prices = try [whole, half].map { answer in
            try #require(Money(dollars: answer["at_most_usd"]?.string ?? "")).nanodollars
        }
        #expect(prices[0] > 5_000_000 && abs(prices[0] - 2 * prices[1]) <= 2)
    }

    @Test("no price for a model that nobody knows, with the one that was meant")
    func unpriced() async throws {
        let answer = try await dry(#"{"prompt":"a","model":"claude-hiaku-4-5"}"#)
        #expect(answer["status"]?.string == "new" && answer["at_most_usd"]?.isNull == true)
        #expect(
            answer["detail"]?.string
                == "no price is known for claude-hiaku-4-5 (did you mean “claude-haiku-4-5”?)")
    }

    @Test("a deadline that has passed is told before it costs a job")
    func expired() async throws {
        let answer = try await dry(#"{"prompt":"a","deadline":"2020-01-01T00:00:00Z"}"#)
        #expect(answer["status"]?.string == "expired")
    }

    @Test("what it will cost follows the size of each line")
    func sizes() async throws {
        let small = try await dry(#"{"prompt":"a","max_tokens":10}"#)
        let large = try await dry(#"{"prompt":"\#(String(repeating: "a", count: 30_000))","max_tokens":10}"#)
        let about = try [small, large].map { try #require(Money(dollars: $0["about_usd"]?.string ?? "")) }
        #expect(about[1].nanodollars > 50 * about[0].nanodollars)
        #expect(about[1] <= (Money(dollars: large["at_most_usd"]?.string ?? "") ?? .zero))
    }
}
