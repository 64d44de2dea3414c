import Glibc
import JSON
import Synchronization
import Testing

extension Proofs {
    /// Many processes write to one database while others read it, slowly too.
    @Suite struct Writers {
        /// What the log may take at most, whoever reads.
        private static let logLimit = 128 << 20

        @Test func `Sixteen writers are never told that the database is locked, and the log stays short`()
            async throws
        {
            try await Scenario.run { scenario in
                let simulator = try await scenario.simulator(["latency": "20ms"])
                let crowd = try await LoadGenerator(scenario, simulator)
                try await crowd.servers[0].warmUp()
                let seconds = Form.pick(short: 12, long: 600)
                try await crowd.press(until: .now + .seconds(seconds))
                try await scenario.allFinished(within: .seconds(60))
                let words = try await crowd.stop()
                let jobs = try await scenario.record.jobs()
                report(crowd, words, jobs: jobs.count, seconds: seconds)

                let seen = crowd.seen
                try demand(
                    jobs.count == seen.sent + 1, "\(seen.sent + 1) jobs were sent, \(jobs.count) are there")
                try demand(jobs.allSatisfy { $0.state == "succeeded" }, "not all succeeded")
                try demand(seen.logBytes < Self.logLimit, "the log took \(seen.logBytes) bytes")
                try demand(sum(words, "checkpoints") > 0, "no checkpoint: nothing was proved")
                try demandSilence(scenario)
                let books = try await scenario.books
                try await books.check()
                try await books.compare(with: simulator)
            }
        }

        /// As SQLite's own words for it, and its name.
        private func demandSilence(_ scenario: Scenario) throws {
            for child in scenario.children.withLock({ $0 }) {
                for text in [child.output, child.errors] {
                    let isTold = text.contains("database is locked") || text.contains("SQLITE_BUSY")
                    try demand(!isTold, "\(child.name) says that the database is locked")
                }
            }
        }

        private func report(_ crowd: LoadGenerator, _ words: [JSON], jobs: Int, seconds: Int) {
            Figures.print(
                "many writers",
                [
                    "processes that write": "\(words.count)", "seconds": "\(seconds)", "jobs": "\(jobs)",
                    "transactions": "\(sum(words, "transactions"))",
                    "longest wait for the write lock": "\(longest(words, "longest_lock_wait_ms")) ms",
                    "longest transaction": "\(longest(words, "longest_transaction_ms")) ms",
                    "checkpoints": "\(sum(words, "checkpoints"))",
                    "checkpoints cut short": "\(sum(words, "checkpoints_incomplete"))",
                    "longest checkpoint": "\(longest(words, "longest_checkpoint_ms")) ms",
                    "longest log": "\(crowd.seen.logBytes >> 20) MB",
                    "views of 2 s, one after the other": "\(crowd.seen.views)",
                    "pages read over HTTP": "\(crowd.seen.pages)",
                ])
        }

        private func longest(_ words: [JSON], _ field: String) -> Int {
            words.map { $0.integer(field) }.max() ?? 0
        }

        private func sum(_ words: [JSON], _ field: String) -> Int {
            words.reduce(0) { $0 + $1.integer(field) }
        }
    }
}
