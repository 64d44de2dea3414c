import Foundation
import Glibc
import Synchronization
import Testing

extension Proofs {
    /// Copies are made while everything goes on.
    @Suite struct Backups {
        @Test func `A copy made under load has all that was acknowledged, and goes on to the end`()
            async throws
        {
            try await Scenario.run { scenario in
                let simulator = try await scenario.simulator(["latency": "50ms"])
                let server = try await scenario.serve(simulator, settings)
                _ = try scenario.works(2, simulator, settings)
                let load = Acknowledged()
                load.note(try await server.enqueue(Form.pick(short: 1_000, long: 10_000), as: "first"))
                async let delivery: Void = load.deliver(to: server)
                var copies: [Copy] = []
                for number in 1...Form.pick(short: 2, long: 5) {
                    copies.append(try await copy("\(number)", load, scenario))
                }
                load.end()
                try await delivery
                try await scenario.allFinished(within: .seconds(300))
                try await scenario.books.check()
                try await scenario.books.compare(with: simulator)

                for copy in copies { try await restore(copy, simulator, scenario) }
                Figures.print(
                    "backups",
                    [
                        "copies under load": "\(copies.count)", "jobs": "\(load.ids.count)",
                        "longest copy": "\(copies.map(\.seconds).max()?.text(2) ?? "") s",
                        "jobs in the copies": copies.map { "\($0.jobs)" }.joined(separator: ", "),
                        "of them open": copies.map { "\($0.open)" }.joined(separator: ", "),
                    ])
                try demand(copies.contains { $0.open > 0 }, "no copy had work left: nothing was proved")
            }
        }

        @Test func `What a killed backup leaves behind, the next one clears away`() async throws {
            try await Scenario.run { scenario in
                let simulator = try await scenario.simulator()
                let server = try await scenario.serve(simulator, settings)
                let load = Acknowledged()
                load.note(try await server.enqueue(5_000))
                async let delivery: Void = load.deliver(to: server)
                let path = scenario.folder.path + "/copy.db"
                let variables = ["RENGA_DATABASE": scenario.database]
                try await killMidway(path, variables, scenario)

                let again = try await scenario.finish(["backup", path], variables)
                load.end()
                try await delivery
                try demand(again.status == .status(0), "backup: \(again.status) \(again.errors)")
                let left = try partials(in: scenario)
                try demand(left.isEmpty, "left behind: \(left)")
                try await Books(path: path).check()
            }
        }

        /// Kills one backup in the midst of its copying; one that was done before the signal came is a whole one.
        private func killMidway(_ path: String, _ variables: [String: String], _ scenario: Scenario)
            async throws
        {
            for _ in 0..<100 {
                let victim = try scenario.start(["backup", path], variables)
                while try partials(in: scenario).isEmpty, await victim.exit(within: .milliseconds(1)) == nil {
                }
                await victim.killAndWait()
                if FileManager.default.fileExists(atPath: path) {
                    try await Books(path: path).check()
                    try FileManager.default.removeItem(atPath: path)
                } else if try !partials(in: scenario).isEmpty {
                    return
                }
            }
            throw Disappointment("a hundred backups left nothing: nothing was proved")
        }

        private let settings = ["RENGA_LEASE": "2s", "RENGA_CONCURRENCY": "20"]

        /// What is known of a copy: jobs acknowledged before it began must be in it.
        struct Copy {
            let path: String
            let seconds: Double
            let jobs: Int
            let open: Int
        }

        private func copy(_ name: String, _ load: Acknowledged, _ scenario: Scenario) async throws -> Copy {
            let path = "\(scenario.folder.path)/copy-\(name).db"
            let acknowledged = load.ids
            let start = ContinuousClock.now
            let run = try await scenario.finish(["backup", path], ["RENGA_DATABASE": scenario.database])
            let seconds = (ContinuousClock.now - start).seconds
            try demand(run.status == .status(0), "backup: \(run.status) \(run.errors)")
            try await Books(path: path).check()
            let record = Record(path: path)
            let missing = acknowledged.subtracting(try await record.names())
            try demand(missing.isEmpty, "\(missing.count) acknowledged jobs are not in the copy")
            return Copy(
                path: path, seconds: seconds, jobs: try await record.jobs().count,
                open: try await record.unfinished())
        }

        /// As after a loss of the machine: a server and a worker on the copy alone.
        private func restore(_ copy: Copy, _ simulator: Simulated, _ scenario: Scenario) async throws {
            let settings = settings.merging(["RENGA_DATABASE": copy.path]) { $1 }
            let server = try await scenario.serve(simulator, settings)
            let worker = try scenario.work(simulator, settings)
            let record = Record(path: copy.path)
            try await eventually("the restored queue is done", within: .seconds(300)) {
                try await record.waiting() == 0
            }
            for child in [server.child, worker] {
                child.signal(SIGTERM)
                let exit = await child.exit(within: .seconds(20))
                try demand(exit == .status(0), "\(child.name): \(exit?.description ?? "still runs")")
            }
            let succeeded = try await record.count(of: "succeeded")
            try demand(succeeded == copy.jobs, "\(succeeded) of \(copy.jobs) succeeded")
            try await Books(path: copy.path).check()
        }

        private func partials(in scenario: Scenario) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: scenario.folder.path)
                .filter { $0.contains("partial") }
        }
    }
}

/// Jobs that a server has taken, and more of them until it is told to end.
private final class Acknowledged: Sendable {
    private let state = Mutex((ids: Set<String>(), isEnding: false))

    var ids: Set<String> { state.withLock { $0.ids } }

    func note(_ ids: [String]) { state.withLock { $0.ids.formUnion(ids) } }

    func end() { state.withLock { $0.isEnding = true } }

    func deliver(to server: Server) async throws {
        var count = 0
        while !state.withLock({ $0.isEnding }) {
            note(try await server.enqueue(100, as: "bulk-\(count)") { "Say \(count), \($0)." })
            note([try await server.client.enqueue("Say one, \(count).", key: "one-\(count)")])
            count += 1
        }
    }
}
