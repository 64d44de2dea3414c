import JSON
import Jobs

/// Waits for the jobs of one input to end, and collects their results if that was asked for.
struct Waiting {
    private let server: ServerClient
    private let batch: String
    private let outcomes: LineOutcomes
    /// Where results go, as it was typed.
    private let outputName: String

    init(options: EnqueueOptions, server: ServerClient, outcomes: LineOutcomes) {
        self.server = server
        self.outcomes = outcomes
        batch = options.batch
        outputName = options.output ?? ""
    }

    /// Writes how they ended.
    ///
    /// Failed if a line was invalid or a job did not succeed.
    func run(_ output: ResultsTarget?, write: (String) throws -> Void) async throws -> ExitStatus {
        var follower = BatchFollower(server: server, batch: batch, hasAnswered: true)
        let end = try await follower.run()
        var tally = Tally(end["counts"])
        if let output {
            tally = Tally()
            try await ResultsFile(server: server, batch: batch, outcomes: outcomes).write(to: output) {
                tally.add($0)
            }
        } else if end["counts"]?.number("total") != outcomes.created + outcomes.existing.count {
            // Some of the lines that were there before belong to other batches.
            tally = Tally()
            try await server.ended(outcomes.jobs.compactMap(\.self)) { tally.add($0.text("state")) }
        }
        try write(
            ([tally.text].filter { !$0.isEmpty } + [written(output)].compactMap(\.self)).joined(
                separator: "; "))
        if let text = ResumeHint(batch, end["counts"]).text { Console.note(text) }
        return outcomes.refused == 0 && tally.allSucceeded ? .done : .failed
    }
}

extension Waiting {
    private func written(_ output: ResultsTarget?) -> String? {
        switch output {
        case nil, .standardOutput: nil
        case .file, .device:
            "\(Text.count(outcomes.jobs.count, "line")) written to \(outputName)"
        }
    }
}

/// How jobs ended.
struct Tally {
    private var counts: [String: Int] = [:]

    init(_ counts: JSON? = nil) {
        for state in JobState.allCases { self.counts[state.rawValue] = counts?.number(state.rawValue) ?? 0 }
    }

    mutating func add(_ state: String) { counts[state, default: 0] += 1 }

    var allSucceeded: Bool { counts.allSatisfy { $0.key == JobState.succeeded.rawValue || $0.value == 0 } }

    var text: String {
        let parts = JobState.allCases.compactMap { state -> String? in
            let count = counts[state.rawValue] ?? 0
            return count > 0 ? "\(Text.number(count)) \(state.rawValue)" : nil
        }
        return parts.joined(separator: ", ")
    }
}

/// How cancelled jobs are queued again: the same input finds them and leaves them cancelled.
struct ResumeHint {
    private let batch: String
    private let cancelled: Int

    init(_ batch: String, _ counts: JSON?) {
        self.batch = batch
        cancelled = counts?.number(JobState.cancelled.rawValue) ?? 0
    }

    /// Nil if no job of the batch is cancelled.
    var text: String? {
        guard cancelled > 0 else { return nil }
        return """
            \(Text.count(cancelled, "job")) of the batch \(cancelled == 1 ? "is" : "are") cancelled and will not run. \
            To queue \(cancelled == 1 ? "it" : "them") again, run this, then the same command:
              renga retry --batch \(Shell.quoted(batch)) --state cancelled
            """
    }
}
