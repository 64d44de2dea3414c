import Foundation
import JSON
import Jobs
import Testing

@testable import renga

@Suite struct ConfigurationTests {
    private let simple = SimpleSettings(baseURL: "https://api.anthropic.com")

    private func read(_ text: String, _ simple: SimpleSettings? = nil) throws -> Configuration {
        try Configuration(JSON.parse(text), simple ?? self.simple)
    }

    private func reason(_ text: String) throws -> String {
        let json = try JSON.parse(text)
        let error = #expect(throws: ConfigurationError.self) { _ = try Configuration(json, simple) }
        return error?.description ?? ""
    }

    /// A route's members within an otherwise sound file.
    private func withRoute(_ members: String) -> String {
        #"{"providers":{"anthropic":{}},"routes":{"haiku":{\#(members)}}}"#
    }

    @Test func `prices have days from which they count`() throws {
        let configuration = try read(
            withRoute(
                """
                "provider":"anthropic","model":"m","prices":[{"input":1,"output":5},
                {"from":"2026-12-01","input":2,"output":10}]
                """))
        let terms = try #require(configuration.table.routes.first)
        let prices = PriceTable(configuration.table)
        let day = try #require(Timestamp(text: "2026-12-01T00:00:00Z"))
        #expect(prices.price(of: terms.key, at: day + -1)?.input == 1000)
        #expect(prices.price(of: terms.key, at: day)?.output == 10_000)
    }

    @Test(arguments: [
        (
            #"[{"from":"2026-12-01","input":1,"output":5},{"from":"2026-12-01","input":1,"output":5}]"#,
            "$.routes.haiku.prices[1]: expected a “from” that is later than that of the price before"
        ),
        (
            #"[{"from":"soon","input":1,"output":5}]"#,
            #"$.routes.haiku.prices[0].from: expected a day such as "2026-10-07""#
        ),
        ("[]", "$.routes.haiku.prices: expected one price or more"),
        (
            #"[{"input":1,"output":5},{"input":1,"output":5}]"#,
            "$.routes.haiku.prices[1]: expected a “from” that is later than that of the price before"
        ),
        (
            #"[{"input":1,"output":5},{"from":"2026-02-30","input":1,"output":5}]"#,
            #"$.routes.haiku.prices[1].from: expected a day such as "2026-10-07""#
        ),
        (
            #"[{"input":1,"output":5},{"from":"2026-12-01","input":1,"outptu":5}]"#,
            "$.routes.haiku.prices[1].outptu: no such key (did you mean output?)"
        ),
        (
            #"[{"input":1,"output":"five"}]"#,
            "$.routes.haiku.prices[0].output: expected US dollars"
        ),
        (#"{"from":"2026-12-01","input":1,"output":5}"#, "$.routes.haiku.prices.from: no such key"),
        (
            #"{"input":1,"output":5,"us_factor":0.9}"#,
            "$.routes.haiku.prices.us_factor: expected a factor from 1 to 10 with at most two places"
        ),
        (
            #"{"input":1,"output":5,"web_search":1001}"#,
            "$.routes.haiku.prices.web_search: expected US dollars per thousand searches"
        ),
    ])
    func `prices that are none, or out of order, are refused`(_ prices: String, _ reason: String) throws {
        let text = try self.reason(withRoute(#""provider":"anthropic","model":"m","prices":\#(prices)"#))
        #expect(text.contains(reason))
    }

    @Test func `what prices leave out is as published of the model`() throws {
        func price(_ model: String, _ more: String = "") throws -> Price {
            let text = withRoute(
                #""provider":"anthropic","model":"\#(model)","prices":{"input":1,"output":5\#(more)}"#)
            return try #require(try read(text).table.routes.first?.prices.first?.price)
        }
        let sonnet = try price("claude-sonnet-5-5")
        #expect(sonnet.usPercent == 110 && sonnet.contextWindow == 1_000_000)
        #expect(sonnet.webSearch == 10_000_000)
        let haiku = try price("claude-haiku-4-5-20251001")
        #expect(haiku.usPercent == 100 && haiku.contextWindow == 200_000)
        let own = try price("qwen3:8b", #","us_factor":1.25,"web_search":0.5"#)
        #expect(own.usPercent == 125 && own.webSearch == 500_000 && own.contextWindow == 1_000_000)
    }

    @Test func `before the day of the first price the built-in table counts`() throws {
        let configuration = try read(
            withRoute(
                #""provider":"anthropic","model":"claude-haiku-4-5","prices":[{"from":"2026-12-01","input":2,"output":9}]"#
            ))
        let key = try #require(configuration.table.routes.first?.key)
        let day = try #require(Timestamp(text: "2026-12-01T00:00:00Z"))
        let prices = PriceTable(configuration.table)
        #expect(prices.price(of: key, at: day + -1)?.output == 5000)
        #expect(prices.price(of: key, at: day)?.output == 9000)
    }

    @Test func `the example puts Haiku first and Sonnet behind it`() throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Examples/renga.json").path
        let configuration = try Configuration(file: path, simple)
        #expect(configuration.standardRoute.name == "anthropic/claude-haiku-4-5-20251001")
        let haiku = try #require(configuration.table.terms(of: configuration.standardRoute))
        #expect(haiku.limits == RouteLimits(requests: 1000, inputTokens: 2_000_000, outputTokens: 400_000))
        #expect(haiku.concurrency == 200)
        let price = try #require(haiku.prices.first?.price)
        #expect(price.cacheWrite5m == 1250 && price.cacheRead == 100)
        #expect(haiku.fallbacks.map(\.route.model) == ["claude-sonnet-5-5"])
        #expect(haiku.fallbacks[0].causes == [.overloaded, .breaker, .refused, .contextTooLong])
        #expect(configuration.table.route(for: "strong")?.model == "claude-sonnet-5-5")
        #expect(configuration.table.route(for: "claude-haiku-4-5") == haiku.key)
    }

    @Test(arguments: [
        (
            #""provider":"anthropic","model":"m","limits":{"rpm":"ten"}"#,
            #"$.routes.haiku.limits.rpm: expected a whole number from 1 to 1000000000000, found "ten""#
        ),
        (
            #""provider":"anthropic","model":"m","limits":{"rmp":1}"#,
            "$.routes.haiku.limits.rmp: no such key (did you mean rpm?)"
        ),
        (#""provider":"anthropic""#, "$.routes.haiku.model: is missing; expected a model's exact id"),
        (
            #""provider":"anthropc","model":"m""#,
            #"$.routes.haiku.provider: expected one of the providers: anthropic, found "anthropc""#
        ),
        (
            #""provider":"anthropic","model":"m","concurrency":0"#,
            "$.routes.haiku.concurrency: expected a whole number from 1 to 100000, found 0"
        ),
        (
            #""provider":"anthropic","model":"m","prices":{"input":0.0001,"output":1}"#,
            "$.routes.haiku.prices.input: expected US dollars per million tokens with at most three places"
        ),
        (
            #""provider":"anthropic","model":"m","fallbacks":[{"route":"haiku","on":["overloaded"]}]"#,
            "$.routes.haiku.fallbacks[0].route: a route cannot be its own fallback"
        ),
        (
            #""provider":"anthropic","model":"m","fallbacks":[{"route":"x","on":[]}]"#,
            #"$.routes.haiku.fallbacks[0].route: expected one of the routes: haiku, found "x""#
        ),
    ])
    func `what is wrong with a route is said with its place and what was expected`(
        members: String, words: String
    ) throws {
        let reason = try reason(withRoute(members))
        #expect(reason.hasPrefix(words), "\(reason)")
    }

    @Test(arguments: [
        ("[]", "$: expected an object, found an array"),
        (#"{"providers":{}}"#, "$.providers: expected one provider or more"),
        (#"{"providres":{}}"#, "$.providres: no such key (did you mean providers?)"),
        (
            #"{"providers":{"a":{"kind":"openia"}}}"#,
            #"$.providers.a.kind: expected one of "anthropic", "openai", found "openia""#
        ),
        (#"{"providers":{"a":{"kind":"openai"}}}"#, "$.providers.a.base_urls: is missing"),
        (
            #"{"providers":{"a":{"kind":"openai","base_urls":["http://h/v1"],"betas":["x"]}}}"#,
            "$.providers.a.betas: only a provider of kind"
        ),
        (
            #"{"providers":{"a":{"base_urls":["api.example.com"]}}}"#,
            "$.providers.a.base_urls[0]: expected an address"
        ),
        (#"{"providers":{"a b":{}}}"#, #"$.providers["a b"]: expected a name"#),
        (#"{"providers":{"a":{}},"model":3}"#, "$.model: expected a model"),
        (
            #"{"providers":{"a":{},"b":{}},"routes":{"x":{"provider":"a","model":"m"}},"model":"y"}"#,
            "$.model: no route takes “y”"
        ),
        (
            #"{"providers":{"a":{}},"routes":{"x":{"provider":"a","model":"m"}},"aliases":{"y":"z"}}"#,
            "$.aliases.y: expected one of the routes: x"
        ),
        (
            #"{"providers":{"a":{}},"budgets":[{"name":"d","window":"week","usd":1}]}"#,
            "$.budgets[0].window: expected one of"
        ),
        (
            #"{"providers":{"a":{}},"budgets":[{"name":"d","window":"day","usd":"1e3"}]}"#,
            "$.budgets[0].usd: expected US dollars"
        ),
    ])
    func `what is wrong elsewhere is said with its place`(text: String, words: String) throws {
        let reason = try reason(text)
        #expect(reason.hasPrefix(words), "\(reason)")
    }

    @Test func `a key that was put in the place of its variable's name is not repeated`() throws {
        let reason = try reason(#"{"providers":{"a":{"credential":"sk-ant-secret"}}}"#)
        #expect(reason.hasPrefix("$.providers.a.credential: expected the name of an environment variable"))
        #expect(!reason.contains("sk-ant"))
    }

    @Test func `with one provider every model is taken, with several only those of routes`() throws {
        let one = try read(#"{"providers":{"anthropic":{}}}"#)
        #expect(one.standardRoute.model == SimpleSettings.standardModel)
        #expect(one.table.route(for: "anything")?.service.provider == "anthropic")
        let routes = #""routes":{"x":{"provider":"b","model":"m"}}"#
        let two = #""providers":{"a":{},"b":{"kind":"openai","base_urls":["http://127.0.0.1:1/v1"]}}"#
        #expect(try read("{\(two),\(routes)}").table.route(for: "anything") == nil)
        #expect(try read("{\(two),\(routes)}").standardRoute.model == "m")
        let other = try read(#"{\#(two),\#(routes),"other_models":"a"}"#)
        #expect(other.table.route(for: "anything")?.service.provider == "a")
        #expect(other.providers[1].credential.isEmpty)
    }

    @Test func `without a file the environment makes the same value`() throws {
        let bare = Configuration(simple)
        #expect(bare.table.routes.isEmpty && bare.model == SimpleSettings.standardModel)
        #expect(bare.providers.map(\.credential) == ["ANTHROPIC_API_KEY"])
        let stated = Configuration(
            SimpleSettings(
                baseURL: "https://relay.example", model: "m", limits: RouteLimits(requests: 7)))
        #expect(stated.table.routes.map(\.key) == [stated.standardRoute])
        #expect(stated.table.routes[0].limits.requests == 7)
        #expect(stated.standardRoute.service.endpoint == "https://relay.example")
    }

    @Test func `the environment's limits count over the file's for the standard route`() throws {
        let text = withRoute(#""provider":"anthropic","model":"m","limits":{"rpm":1,"otpm":2}"#)
        let simple = SimpleSettings(
            baseURL: "https://api.anthropic.com", limits: RouteLimits(requests: 9))
        let configuration = try read(text, simple)
        #expect(configuration.table.routes.map(\.limits) == [RouteLimits(requests: 9, outputTokens: 2)])
    }

    @Test func `budgets have a scope, a window and thresholds`() throws {
        let configuration = try read(
            #"""
            {"providers":{"a":{}},"alerts":[90,10],"budgets":[
              {"name":"daily","window":"day","usd":0.01},
              {"name":"team","window":"month","usd":"12.50","scope":"tag:team-a","alerts":[100]}]}
            """#)
        #expect(
            configuration.budgets == [
                Budget(
                    name: "daily", scope: .all, window: .day, limit: Money(nanodollars: 10_000_000),
                    alerts: [10, 90]),
                Budget(
                    name: "team", scope: .tag("team-a"), window: .month,
                    limit: Money(nanodollars: 12_500_000_000), alerts: [100]),
            ])
    }

    @Test func `models near their end are named with what comes after them`() throws {
        let text = withRoute(#""provider":"anthropic","model":"claude-sonnet-4-5-20250929""#)
        let configuration = try read(text)
        let now = try #require(Timestamp(text: "2026-11-21T00:00:00Z"))
        #expect(
            configuration.endings(at: now).map(\.advice)
                == ["ends on 2026-11-30, in 9d 0h; move to claude-sonnet-5-5"])
        let before = try #require(Timestamp(text: "2026-01-01T00:00:00Z"))
        #expect(configuration.endings(at: before).isEmpty)
    }
}

extension ConfigurationTests {
    private func doctor(_ environment: [String: String]) throws -> [Finding] {
        let invocation = try Parser.parse([], for: .doctor, environment: { environment[$0] })
        let settings = try ServiceSettings(invocation)
        return Doctor(invocation).configuration(
            settings, try Providers(settings.configuration, invocation))
    }

    @Test func `a budget of the file is not stated by the environment too`() throws {
        let (folder, path) = try file(
            #"{"providers":{"anthropic":{}},"budgets":[{"name":"daily","window":"day","usd":"0.02"}]}"#)
        defer { _ = folder }
        let error = #expect(throws: UsageError.self) {
            _ = try doctor(["RENGA_CONFIG": path, "RENGA_DAILY_BUDGET_USD": "100"])
        }
        #expect(error?.message.contains("both state the budget “daily”") == true)
    }

    private func file(_ text: String) throws -> (folder: Folder, path: String) {
        let folder = try Folder()
        try folder.write("renga.json", [text])
        return (folder, folder.url.appending(path: "renga.json").path)
    }

    @Test func `the doctor shows what counts, without secrets, and who has no credential`() throws {
        let (folder, path) = try file(
            #"""
            {"providers":{"anthropic":{"credential":"OTHER_KEY"},
                          "own":{"kind":"openai","base_urls":["http://127.0.0.1:1/v1"],"credential":"OWN_KEY"}},
             "routes":{"haiku":{"provider":"anthropic","model":"claude-haiku-4-5-20251001","limits":{"rpm":50},
                                "fallbacks":[{"route":"big","on":["overloaded"]}]},
                       "big":{"provider":"own","model":"big"}},
             "aliases":{"fast":"haiku"}}
            """#)
        let findings = try doctor(["RENGA_CONFIG": path, "OTHER_KEY": "sk-secret"])
        let text = findings.map { "\($0.state.rawValue) \($0.subject): \($0.text)" }.joined(separator: "\n")
        #expect(!text.contains("sk-secret"))
        #expect(
            text.contains("OK provider anthropic: anthropic at https://api.anthropic.com, OTHER_KEY is set"))
        #expect(text.contains("WARN provider own: openai at http://127.0.0.1:1/v1, no key: its jobs wait"))
        #expect(text.contains("rpm 50, itpm learned, otpm learned; $1 in, $5 out per million tokens"))
        #expect(text.contains("falls back to big when overloaded"))
        #expect(text.contains("WARN route big: own/big"))
        #expect(text.contains("OK alias fast: anthropic/claude-haiku-4-5-20251001"))
        _ = folder
    }

    @Test func `a file that cannot be read stops the start with its name`() throws {
        let missing = #expect(throws: UsageError.self) {
            _ = try doctor(["RENGA_CONFIG": "/none/renga.json"])
        }
        #expect(
            missing?.message.hasPrefix("RENGA_CONFIG is “/none/renga.json”; expected a readable file") == true
        )
        let (folder, path) = try file(#"{"providers":{"a":{}},"x":1}"#)
        let wrong = #expect(throws: UsageError.self) { _ = try doctor(["RENGA_CONFIG": path]) }
        #expect(wrong?.message.contains("$.x: no such key") == true)
        _ = folder
    }
}
