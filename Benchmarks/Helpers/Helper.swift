import System

/// Roles that this program plays for itself in processes of their own.
enum Helper {
    /// The first word of the command line that asks for one.
    static let word = "helper"

    static func run(_ words: [String]) async throws {
        switch words.first {
        case "claim": try await ClaimHelper(words).run()
        case "bystander": try await BystanderHelper(words).run()
        case "serve": try await BareServer(words).run()
        case "relay": try await BareRelay(words).run()
        default: throw BenchmarkError("no such role: \(words)")
        }
    }

    /// Waits for a line on standard input; an end of the input, too, lets it go on.
    static func waitForWord() {
        // Blocks a thread of the pool, while nothing else is to be done.
        _ = readLine()
    }

    /// A line on standard output, at once.
    static func report(_ line: String) {
        // The one who reads it notices by itself when nothing comes.
        try? writeAll(1, Array((line + "\n").utf8))
    }
}
