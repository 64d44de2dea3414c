import JSON
import Jobs

/// A route as the file says it; its fallbacks may name routes that come later.
struct RouteEntry {
    var terms: RouteTerms
    var fallbacks: ConfigurationValue?

    private static let keys = ["provider", "model", "limits", "prices", "concurrency", "fallbacks"]

    init(name: String, _ value: ConfigurationValue, providers: [ProviderTerms]) throws(ConfigurationError) {
        let object = try value.object(Self.keys)
        let provider = try object.required("provider", "the name of a provider")
        let model = try object.required("model", "a model's exact id, such as \"claude-haiku-4-5-20251001\"")
        guard let known = providers.first(where: { $0.name == provider.json.string }) else {
            let names = providers.map(\.name)
            throw provider.expected("one of the providers: " + names.joined(separator: ", "))
        }
        let key = RouteKey(service: known.key, model: try model.text("a model's exact id"))
        terms = RouteTerms(
            name: name, key: key, limits: try object["limits"].map(RouteLimits.init) ?? RouteLimits(),
            prices: try object["prices"].map { (value) throws(ConfigurationError) in
                try PriceTable.Entry.list(value, of: key.model)
            } ?? [],
            concurrency: try object["concurrency"]?.integer(in: 1...100_000))
        fallbacks = object["fallbacks"]
    }
}

extension RouteLimits {
    /// More than any provider grants.
    private static let range = 1...1_000_000_000_000

    fileprivate init(_ value: ConfigurationValue) throws(ConfigurationError) {
        let object = try value.object(["rpm", "itpm", "otpm", "rate_window", "reserves_max_tokens"])
        self.init(
            requests: try object["rpm"]?.integer(in: Self.range),
            inputTokens: try object["itpm"]?.integer(in: Self.range),
            outputTokens: try object["otpm"]?.integer(in: Self.range),
            burst: try object["rate_window"].map(Self.burst),
            reservesMaxTokens: try object["reserves_max_tokens"]?.flag() ?? false)
    }
}

extension RouteLimits {
    private static func burst(_ value: ConfigurationValue) throws(ConfigurationError) -> Milliseconds {
        guard let time = value.json.string.flatMap(DurationText.parse), (1...60_000).contains(time) else {
            throw value.expected("a duration up to 1m, such as \"1s\"")
        }
        return time
    }
}

extension PriceTable.Entry {
    /// One price for always, or several in the order of the days from which they count.
    fileprivate static func list(
        _ value: ConfigurationValue, of model: String
    ) throws(ConfigurationError) -> [Self] {
        guard value.json.kind == .array else {
            _ = try value.object(Price.keys)
            return [Self(price: try Price(value, of: model))]
        }
        var entries: [Self] = []
        for element in try value.elements() {
            let from = try element.object(Price.keys + ["from"])["from"].map(day)
            guard let last = entries.last else {
                entries.append(Self(from: from, price: try Price(element, of: model)))
                continue
            }
            guard let from, last.from.map({ $0 < from }) ?? true else {
                throw element.refused("expected a “from” that is later than that of the price before")
            }
            entries.append(Self(from: from, price: try Price(element, of: model)))
        }
        guard !entries.isEmpty else { throw value.refused("expected one price or more") }
        return entries
    }

    private static func day(_ value: ConfigurationValue) throws(ConfigurationError) -> Timestamp {
        guard let day = value.json.string, day.utf8.count == 10,
            let time = Timestamp(text: day + "T00:00:00Z")
        else {
            throw value.expected(
                "a day such as \"2026-10-07\"; the price counts from its beginning in UTC")
        }
        return time
    }
}

extension Price {
    fileprivate static let keys = [
        "input", "output", "cache_write_5m", "cache_write_1h", "cache_read", "long_prompt", "us_factor",
        "web_search",
    ]

    /// US dollars per million tokens; cache prices that are left out follow from `input` as with most models, and the
    /// factor of the United States is as published of the model.
    fileprivate init(_ value: ConfigurationValue, of model: String) throws(ConfigurationError) {
        let object = try value.object(Self.keys + ["from"])
        let what = "US dollars per million tokens"
        let published = PriceTable.price(of: model)
        let input = try Self.rate(object.required("input", what))
        self.init(
            input: input, output: try Self.rate(object.required("output", what)),
            cacheWrite5m: try object["cache_write_5m"].map(Self.rate) ?? (input * 5 + 3) / 4,
            cacheWrite1h: try object["cache_write_1h"].map(Self.rate) ?? input * 2,
            cacheRead: try object["cache_read"].map(Self.rate) ?? (input + 9) / 10,
            usPercent: try object["us_factor"].map(Self.percent) ?? published?.usPercent ?? 100,
            webSearch: try object["web_search"].map(Self.fee) ?? Price.usualWebSearch,
            contextWindow: published?.contextWindow ?? Self.widestWindow)
        if let value = object["long_prompt"] {
            let long = try value.object(["above", "factor"])
            longPrompt = LongPrompt(
                above: Int64(try long.required("above", "tokens").integer(in: 1...100_000_000)),
                factor: Int64(try long.required("factor", "a whole number").integer(in: 1...100)))
        }
    }

    /// Of an unknown model; a bound that is too high only reserves too much.
    private static let widestWindow: Int64 = 1_000_000

    /// US dollars per thousand searches.
    private static func fee(_ value: ConfigurationValue) throws(ConfigurationError) -> Int64 {
        let money = try value.dollars().nanodollars
        guard money % 1000 == 0, money <= 1_000 * 1_000_000_000 else {
            throw value.expected("US dollars per thousand searches, at most 1000, such as 10")
        }
        return money / 1000
    }

    private static func percent(_ value: ConfigurationValue) throws(ConfigurationError) -> Int64 {
        let parts = try value.dollars().nanodollars
        guard parts % 10_000_000 == 0, (100...1000).contains(parts / 10_000_000) else {
            throw value.expected("a factor from 1 to 10 with at most two places, such as 1.1")
        }
        return parts / 10_000_000
    }

    /// A dollar per million tokens is a thousand nano-dollars per token.
    private static func rate(_ value: ConfigurationValue) throws(ConfigurationError) -> Int64 {
        let money = try value.dollars().nanodollars
        guard money % 1_000_000 == 0, money <= 100_000 * 1_000_000_000 else {
            throw value.expected("US dollars per million tokens with at most three places, such as 0.125")
        }
        return money / 1_000_000
    }
}

extension Fallback {
    init(_ value: ConfigurationValue, routes: [RouteTerms], of own: RouteTerms) throws(ConfigurationError) {
        let object = try value.object(["route", "on"])
        let route = try object.required("route", "the name of a route")
        guard let target = routes.first(where: { $0.name == route.json.string }) else {
            throw route.expected("one of the routes: " + routes.map(\.name).joined(separator: ", "))
        }
        guard target.key != own.key else { throw route.refused("a route cannot be its own fallback") }
        guard target.key.service.simulated == own.key.service.simulated else {
            throw route.refused("a simulator and a real model never answer for each other")
        }
        var causes: Set<Cause> = []
        let list = try object.required("on", "an array of causes")
        for cause in try list.elements() { causes.insert(try cause.choice(Cause.self)) }
        guard !causes.isEmpty else { throw list.refused("expected one cause or more") }
        self.init(route: target.key, causes: causes)
    }
}
