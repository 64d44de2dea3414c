import JSON
import JobStoreSQLite
import Jobs
import Testing

@testable import renga

@Suite struct StatementTests {
    private func stated(
        _ text: String, url: String = "https://api.anthropic.com", limits: RouteLimits? = nil
    ) throws -> [String: String] {
        try Configuration(JSON.parse(text), SimpleSettings(baseURL: url, model: nil, limits: limits)).stated
    }

    private func file(_ members: String = "", budget: String = "5") -> String {
        #"""
        {"providers":{"anthropic":{}},
         "routes":{"haiku":{"provider":"anthropic","model":"claude-haiku-4-5-20251001"\#(members)}},
         "aliases":{"fast":"haiku"},"budgets":[{"name":"daily","window":"day","usd":\#(budget)}]}
        """#
    }

    private func settings(_ words: [String] = [], _ environment: [String: String] = [:]) throws
        -> ServiceSettings
    {
        try ServiceSettings(Parser.parse(words, for: .work, environment: { environment[$0] }))
    }

    @Test func `prices, routes and budgets are stated, each under its key`() throws {
        let plain = try stated(file())
        #expect(plain["routes.haiku"] == "anthropic/claude-haiku-4-5-20251001")
        #expect(plain["aliases.fast"] == "anthropic/claude-haiku-4-5-20251001")
        #expect(plain["budgets.daily"]?.hasPrefix("$5.000000 a day for everything") == true)
        let free = try stated(file(#","prices":{"input":0,"output":0}"#))
        #expect(Set(free.keys).subtracting(plain.keys) == ["routes.haiku.prices"])
        #expect(try stated(file(budget: "6")) != plain)
        #expect(try stated(file(#","concurrency":3"#)) != plain)
    }

    @Test func `where a provider is and what the environment says of limits is not compared`() throws {
        let plain = try stated(file())
        #expect(try stated(file(), url: "http://10.0.0.1") == plain)
        #expect(try stated(file(), limits: RouteLimits(requests: 7)) == plain)
    }

    @Test func `each budget of the environment is a statement of its own`() throws {
        let none = try settings().statement
        #expect(none.file.fingerprint.isEmpty && none.environment.isEmpty)
        let both = try settings(
            [], ["RENGA_DAILY_BUDGET_USD": "5", "RENGA_MONTHLY_BUDGET_USD": "none"]
        ).statement
        #expect(both.environment.map(\.subject) == ["budgets.daily", "budgets.monthly"])
        #expect(both.environment[1].content == ["budgets.monthly": "none"])
        #expect(both.environment.map(\.source).last == "RENGA_MONTHLY_BUDGET_USD")
    }

    @Test func `going back is a flag without a value, or a variable`() throws {
        #expect(try !settings().adoptsConfiguration)
        #expect(try settings(["--adopt-config"]).adoptsConfiguration)
        #expect(try settings([], ["RENGA_ADOPT_CONFIG": "on"]).adoptsConfiguration)
        #expect(throws: UsageError.self) { try settings([], ["RENGA_ADOPT_CONFIG": "yes"]) }
    }
}
