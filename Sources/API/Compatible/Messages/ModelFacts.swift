import Jobs

/// What lists of models say of one, as published until November 2026; nil if nothing is known.
///
/// Source: https://platform.claude.com/docs/en/about-claude/models/overview
struct ModelFacts {
    var name: String?
    var line: String?
    var createdAt: Timestamp?
    /// The most tokens of a prompt.
    var window: Int64?
    /// The most tokens of an answer.
    var output: Int64?

    init(window: Int64?) {
        self.window = window
    }

    private init(_ name: String, _ date: String? = nil, window: Int64, output: Int64) {
        self.name = "Claude " + name
        line = name.split(separator: " ").first?.lowercased()
        createdAt = date.flatMap { Timestamp(text: $0 + "T00:00:00Z") }
        self.window = window
        self.output = output
    }

    /// By its id, or by an id with a date behind it.
    static func of(_ model: String) -> ModelFacts? {
        if let facts = table[model] { return facts }
        guard let dash = model.lastIndex(of: "-") else { return nil }
        let end = model[model.index(after: dash)...]
        let isDate = end.utf8.count == 8 && end.utf8.allSatisfy { (0x30...0x39).contains($0) }
        return isDate || end == "latest" ? table[String(model[..<dash])] : nil
    }

    private static let million: Int64 = 1_000_000
    private static let table: [String: ModelFacts] = [
        "claude-haiku-5-5": ModelFacts("Haiku 5.5", "2026-10-07", window: million, output: 128_000),
        "claude-haiku-4-5": ModelFacts("Haiku 4.5", "2025-10-15", window: 200_000, output: 64_000),
        "claude-3-5-haiku": ModelFacts("Haiku 3.5", "2024-10-22", window: 200_000, output: 8_192),
        "claude-3-haiku": ModelFacts("Haiku 3", "2024-03-07", window: 200_000, output: 4_096),
        "claude-sonnet-5-5": ModelFacts("Sonnet 5.5", "2026-10-07", window: million, output: 128_000),
        "claude-sonnet-5": ModelFacts("Sonnet 5", "2026-06-01", window: million, output: 128_000),
        "claude-sonnet-4-6": ModelFacts("Sonnet 4.6", "2026-02-17", window: million, output: 128_000),
        "claude-sonnet-4-5": ModelFacts("Sonnet 4.5", "2025-09-29", window: 200_000, output: 64_000),
        "claude-opus-5-5": ModelFacts("Opus 5.5", "2026-09-15", window: million, output: 128_000),
        "claude-opus-5": ModelFacts("Opus 5", "2026-07-01", window: million, output: 128_000),
        "claude-opus-4-8": ModelFacts("Opus 4.8", "2026-05-20", window: million, output: 128_000),
        "claude-opus-4-7": ModelFacts("Opus 4.7", "2026-04-16", window: million, output: 128_000),
        "claude-opus-4-6": ModelFacts("Opus 4.6", "2026-02-05", window: million, output: 128_000),
        "claude-opus-4-5": ModelFacts("Opus 4.5", "2025-11-01", window: 200_000, output: 64_000),
        "claude-opus-4-1": ModelFacts("Opus 4.1", "2025-08-05", window: 200_000, output: 32_000),
        "claude-fable-5": ModelFacts("Fable 5", "2026-08-01", window: million, output: 128_000),
        "claude-fable-5-1": ModelFacts("Fable 5.1", window: million, output: 128_000),
        "claude-fable-5-2": ModelFacts("Fable 5.2", window: million, output: 128_000),
    ]
}
