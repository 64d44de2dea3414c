import System
import Testing

/// What a scenario keeps its jobs in: a proof of what is not one engine's own runs over each.
enum Engine: String, CaseIterable, CustomTestStringConvertible {
    case sqlite = "SQLite"
    case postgres = "PostgreSQL"

    /// `RENGA_STORE=PostgreSQL` asks for one of them.
    static let all = allCases.filter { engine in
        environmentVariable("RENGA_STORE").map { $0 == engine.rawValue } ?? true
    }

    var testDescription: String { rawValue }

    /// That of the scenario which this task plays.
    @TaskLocal static var current = Engine.sqlite
}
