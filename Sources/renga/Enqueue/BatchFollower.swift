import JSON
import Jobs

/// Watches a batch until all its jobs have ended; those that wait for a person's review count as ended.
struct BatchFollower {
    private let path: String
    private let server: ServerClient
    private var progress = Progress()
    private var retry: ServerRetry
    private var first: (at: ContinuousClock.Instant, finished: Int)?

    /// `batch` is a name or an id; `hasAnswered` says whether the server did before, and is worth waiting for.
    init(server: ServerClient, batch: String, hasAnswered: Bool = false) {
        retry = ServerRetry(hasAnswered: hasAnswered)
        self.server = server
        path = Self.path(batch)
    }

    static func path(_ batch: String) -> String { "/v1/jobs/batches/" + Query.encoded(batch) }

    /// The batch as it was at the end.
    mutating func run() async throws -> JSON {
        while true {
            let batch = try await read()
            let counts = batch["counts"]
            let open = (counts?.number("queued") ?? 0) + (counts?.number("running") ?? 0)
            let total = counts?.number("total") ?? 0
            let share = total == 0 ? 1 : Double(total - open) / Double(total)
            guard open > 0 else {
                progress.end(summary(batch), share: 1)
                return batch
            }
            let rate = rate(ended: total - open, total: total)
            let text = summary(batch) + rate
            progress.show(text, share: share)
            try await Task.sleep(for: .milliseconds(300))
        }
    }

    private mutating func read() async throws -> JSON {
        let (server, path) = (server, path)
        return try await retry.trying { try await server.call("GET", path) }
    }

    private func summary(_ batch: JSON) -> String {
        let counts = batch["counts"]
        let parts = JobState.allCases.compactMap { state -> String? in
            let count = counts?.number(state.rawValue) ?? 0
            return count > 0 ? "\(Text.number(count)) \(state.rawValue)" : nil
        }
        return parts.isEmpty ? "no jobs" : parts.joined(separator: ", ") + ", $" + batch.text("cost_usd")
    }

    private mutating func rate(ended: Int, total: Int) -> String {
        let now = ContinuousClock.now
        guard let first, ended > first.finished else {
            if first == nil { first = (now, ended) }
            return ""
        }
        let perSecond = Double(ended - first.finished) / max(0.001, first.at.duration(to: now) / .seconds(1))
        let left = Milliseconds(Double(total - ended) / perSecond * 1000)
        return ", \((perSecond * 10).rounded() / 10) a second, \(Text.duration(left)) left"
    }
}
