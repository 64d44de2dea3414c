import System

/// Trying again while a server is away for a moment: it restarts, or the network does.
struct ServerRetry: Sendable {
    /// Longer than a restart takes.
    var limit: Duration = .seconds(300)
    /// Whether the server has answered before: one that never did is not waited for.
    private(set) var hasAnswered = false

    /// With a server that has answered already.
    init(hasAnswered: Bool = false) {
        self.hasAnswered = hasAnswered
    }

    /// Repeats what fails because the server is not there, with growing pauses; everything else throws at once.
    mutating func trying<Value>(_ body: () async throws -> Value) async throws -> Value {
        let start = ContinuousClock.now
        var pause = Duration.milliseconds(250)
        while true {
            do {
                let value = try await body()
                hasAnswered = true
                return value
            } catch let error as Failure where error.status == .tryAgain && hasAnswered {
                guard start.duration(to: .now) + pause < limit else { throw error }
                if pause == .milliseconds(250) {
                    Console.note(
                        "\(isTerminal(2) ? "\n" : "")no answer from the server; trying again for up to 5 minutes …"
                    )
                }
                try await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(5))
            }
        }
    }
}
