import System

/// Roles that this program plays for itself in processes of their own.
enum Helper {
    /// The first word of the command line that asks for one.
    static let word = "helper"

    static func run(_ words: [String]) async throws {
        switch words.first {
        case "claim": try await ClaimHelper(words).run()
        case "peer": try PeerHelper(words).run()
        case "distance": try await DistanceHelper(words).run()
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

    /// What a worker did: the times of its claims and settlements, then how many jobs it did, between which moments of the machine's
    /// uptime, and in how many processor seconds.
    static func report(_ done: Claiming.Done, from first: Int64, to last: Int64, cpuSeconds: Double) {
        report(line("claims", done.claims))
        report(line("settlements", done.settlements))
        report("done \(done.jobs) \(first) \(last) \(cpuSeconds)")
    }

    /// A word and numbers behind it, to a hundredth.
    private static func line(_ word: String, _ numbers: [Double]) -> String {
        ([word] + numbers.map { "\(($0 * 100).rounded() / 100)" }).joined(separator: " ")
    }

    /// The numbers behind the first word.
    static func numbers(in line: String) -> [Double] {
        line.split(separator: " ").dropFirst().compactMap { Double($0) }
    }
}
