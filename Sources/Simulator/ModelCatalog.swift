/// What a model can do and costs: as published from August to November 2026.
struct Model: Sendable {
    /// How the generations differ in what they accept.
    enum Generation: Int, Sendable, Comparable {
        case claude3, claude45, claude46, claude47

        static func < (a: Generation, b: Generation) -> Bool { a.rawValue < b.rawValue }
    }

    let id: String
    var aliases: [String] = []
    let name: String
    let line: String
    let created: String
    let generation: Generation
    var contextWindow = 200_000
    var maximumOutput = 64_000
    let price: Price
    /// The price of prompts beyond 100,000 tokens, if there is another.
    var longPrice: Price?
    var minimumCacheable = 1024
    /// The models that share limits.
    let limitClass: String
    var isRetired = false

    /// Hidden tokens of a request with tools; the larger if a tool is forced.
    func toolTokens(isForced: Bool) -> Int { isForced ? 588 : 496 }

    /// Models from 4.7 on cut the same text into about 30 % more tokens.
    var isFinelyTokenized: Bool { generation >= .claude47 }

    /// What a call costs in nano-dollars.
    func cost(_ usage: Usage) -> Int64 {
        let price = usage.totalInput > 100_000 ? longPrice ?? price : price
        var cost =
            Int64(usage.input) * price.input + Int64(usage.output) * price.output
            + Int64(usage.written5m) * price.written5m + Int64(usage.written1h) * price.written1h
            + Int64(usage.read) * price.read
        if usage.isInUS { cost += (cost + 9) / 10 }
        if usage.isBatch { cost = (cost + 1) / 2 }
        // Ten dollars for a thousand.
        return cost + Int64(usage.searches) * 10_000_000
    }
}

/// Nano-dollars per token, which is the thousandfold of dollars per million tokens.
struct Price: Sendable {
    let input, output, written5m, written1h, read: Int64

    init(_ input: Int64, _ output: Int64, _ written5m: Int64, _ written1h: Int64, _ read: Int64) {
        self.input = input
        self.output = output
        self.written5m = written5m
        self.written1h = written1h
        self.read = read
    }
}

/// The models that this endpoint knows.
enum ModelCatalog {
    static func model(named name: String) -> Model? { byName[name] }

    /// Newest first; retired models are known but not listed.
    static let listed: [Model] = all.filter { !$0.isRetired }.sorted { $0.created > $1.created }

    private static let byName: [String: Model] = Dictionary(
        all.flatMap { model in ([model.id] + model.aliases).map { ($0, model) } },
        uniquingKeysWith: { a, _ in a })

    private static let all: [Model] = haiku + sonnet + opus + fable

    private static let haiku: [Model] = [
        Model(
            id: "claude-haiku-5-5", name: "Claude Haiku 5.5", line: "haiku", created: "2026-10-01T00:00:00Z",
            generation: .claude47, contextWindow: 1_000_000, maximumOutput: 128_000,
            price: Price(100, 500, 125, 200, 10), longPrice: Price(500, 2500, 625, 1000, 50),
            limitClass: "haiku-5.5"),
        Model(
            id: "claude-haiku-4-5-20251001", aliases: ["claude-haiku-4-5"], name: "Claude Haiku 4.5",
            line: "haiku", created: "2025-10-15T00:00:00Z", generation: .claude45,
            price: Price(1000, 5000, 1250, 2000, 100), minimumCacheable: 4096, limitClass: "haiku-4.5"),
        Model(
            id: "claude-3-5-haiku-20241022", aliases: ["claude-3-5-haiku-latest"], name: "Claude Haiku 3.5",
            line: "haiku", created: "2024-10-22T00:00:00Z", generation: .claude3, maximumOutput: 8192,
            price: Price(800, 4000, 1000, 1600, 80), minimumCacheable: 2048, limitClass: "haiku-3.5",
            isRetired: true),
        Model(
            id: "claude-3-haiku-20240307", name: "Claude Haiku 3", line: "haiku",
            created: "2024-03-07T00:00:00Z", generation: .claude3, maximumOutput: 4096,
            price: Price(250, 1250, 300, 500, 30), minimumCacheable: 2048, limitClass: "haiku-3",
            isRetired: true),
    ]

    private static let sonnet: [Model] = [
        Model(
            id: "claude-sonnet-5-5", name: "Claude Sonnet 5.5", line: "sonnet",
            created: "2026-10-07T00:00:00Z", generation: .claude47, contextWindow: 1_000_000,
            maximumOutput: 128_000, price: Price(2000, 10_000, 2500, 4000, 100), limitClass: "sonnet-5.5"),
        Model(
            id: "claude-sonnet-5", name: "Claude Sonnet 5", line: "sonnet", created: "2026-06-01T00:00:00Z",
            generation: .claude47, contextWindow: 1_000_000, maximumOutput: 128_000,
            price: Price(2000, 10_000, 2500, 4000, 200), limitClass: "sonnet-5"),
        Model(
            id: "claude-sonnet-4-6", name: "Claude Sonnet 4.6", line: "sonnet",
            created: "2026-02-17T00:00:00Z",
            generation: .claude46, contextWindow: 1_000_000, maximumOutput: 128_000,
            price: Price(3000, 15_000, 3750, 6000, 300), limitClass: "sonnet-4.x"),
        Model(
            id: "claude-sonnet-4-5-20250929", aliases: ["claude-sonnet-4-5"], name: "Claude Sonnet 4.5",
            line: "sonnet", created: "2025-09-29T00:00:00Z", generation: .claude45,
            price: Price(3000, 15_000, 3750, 6000, 300), limitClass: "sonnet-4.x"),
    ]

    private static let opus: [Model] =
        [
            opus(
                "claude-opus-5-5", "Claude Opus 5.5", "2026-09-15", Price(4000, 20_000, 5000, 8000, 200), 512,
                "5.5"),
            opus("claude-opus-5", "Claude Opus 5", "2026-07-01", .opus, 512, "5"),
            opus("claude-opus-4-8", "Claude Opus 4.8", "2026-05-20", .opus, 1024, "4.x"),
            opus("claude-opus-4-7", "Claude Opus 4.7", "2026-04-16", .opus, 2048, "4.x"),
        ] + [
            Model(
                id: "claude-opus-4-6", name: "Claude Opus 4.6", line: "opus", created: "2026-02-05T00:00:00Z",
                generation: .claude46, contextWindow: 1_000_000, maximumOutput: 128_000, price: .opus,
                minimumCacheable: 4096, limitClass: "opus-4.x"),
            Model(
                id: "claude-opus-4-5-20251101", aliases: ["claude-opus-4-5"], name: "Claude Opus 4.5",
                line: "opus", created: "2025-11-01T00:00:00Z", generation: .claude45, price: .opus,
                minimumCacheable: 4096, limitClass: "opus-4.x"),
            Model(
                id: "claude-opus-4-1-20250805", aliases: ["claude-opus-4-1"], name: "Claude Opus 4.1",
                line: "opus", created: "2025-08-05T00:00:00Z", generation: .claude45, maximumOutput: 32_000,
                price: Price(15_000, 75_000, 18_750, 30_000, 1500), limitClass: "opus-4.x", isRetired: true),
        ]

    private static let fable: [Model] = [
        Model(
            id: "claude-fable-5", name: "Claude Fable 5", line: "fable", created: "2026-08-01T00:00:00Z",
            generation: .claude47, contextWindow: 1_000_000, maximumOutput: 128_000,
            price: Price(10_000, 50_000, 12_500, 20_000, 1000), minimumCacheable: 512, limitClass: "fable-5")
    ]

    private static func opus(
        _ id: String, _ name: String, _ date: String, _ price: Price, _ minimum: Int, _ family: String
    ) -> Model {
        Model(
            id: id, name: name, line: "opus", created: date + "T00:00:00Z", generation: .claude47,
            contextWindow: 1_000_000, maximumOutput: 128_000, price: price, minimumCacheable: minimum,
            limitClass: "opus-" + family)
    }
}

extension Price {
    fileprivate static let opus = Price(5000, 25_000, 6250, 10_000, 500)
}
