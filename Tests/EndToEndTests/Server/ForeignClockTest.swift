import JSON
import SQLite
import System
import Testing

extension Proofs {
    /// A machine whose clock is wrong: the database server's counts.
    @Suite struct ForeignClocks {
        private static let day: Int64 = 86_400_000

        @Test(.enabled(if: Engine.all.contains(.postgres)))
        func `Workers whose clocks are a day off expire nothing and start nothing early`()
            async throws
        {
            try await Scenario.run(on: .postgres) { scenario in
                let simulator = try await scenario.simulator(["latency": "1s", "latency-sigma": "0.1"])
                let settings = [
                    "RENGA_LEASE": "2s", "RENGA_CONCURRENCY": "10",
                    "RENGA_DAILY_BUDGET_USD": "1000",
                ]
                let server = try await scenario.serve(simulator, settings)
                let right = try scenario.work(simulator, settings)
                try await server.warmUp()
                let ahead = try turned(scenario, "ahead", by: Self.day)
                let behind = try turned(scenario, "behind", by: -Self.day)
                let wrong = try [ahead, behind].map { calendar in
                    try scenario.work(simulator, settings.merging(calendar.variables) { $1 })
                }
                let later = try await server.client.post(
                    "/v1/jobs", #"{"prompt":"Later.","delay":"8s","deadline":"5m"}"#)
                try demand(later.status == 202, "\(later.status) \(later.text)")
                let start = ContinuousClock.now
                try await server.enqueue(100)
                try await eventually("the backlog is done", within: .seconds(60)) {
                    try await scenario.record.unfinished() <= 1
                }
                let soon = (ContinuousClock.now - start).seconds
                try await scenario.allFinished(within: .seconds(30))
                let seconds = (ContinuousClock.now - start).seconds
                let books = try await scenario.books
                let record = books.record
                let calls = try await simulator.calls()
                let windows = try await record.number("SELECT count(*) FROM budget_window")
                let shares = try await record.shares()
                Figures.print(
                    "workers a day ahead and a day behind",
                    [
                        "jobs": "102", "calls": "\(calls)", "backlog done after": "\(soon.text()) s",
                        "the delayed job after": "\(seconds.text()) s", "days of the budget": "\(windows)",
                        "calls of each worker": "\(shares.values.sorted())",
                    ])
                try demand(calls == 102, "\(calls) calls for 102 jobs")
                try demand(try await record.attempts(status: "written_off") == 0, "a lease ran out")
                try demand(try await record.count(of: "succeeded") == 102, "not all succeeded")
                try demand(windows == 1, "\(windows) days were spent in")
                try demand(seconds >= 7.5, "the delayed job began after \(seconds) s")
                for child in [right] + wrong {
                    try demand((shares[child.pid] ?? 0) > 0, "\(child.name) did nothing: nothing was proved")
                }
                try await rescue(scenario, simulator, server, victim: right, others: wrong)
                try await scenario.books.check()
            }
        }

        /// Those with the wrong clocks take over what a killed worker held, in the database's time.
        private func rescue(
            _ scenario: Scenario, _ simulator: Simulated, _ server: Server, victim: Child, others: [Child]
        ) async throws {
            for other in others { await other.killAndWait() }
            try await simulator.change(["latency": "20s", "latency-sigma": "0"])
            try await server.enqueue(5, as: "held") { "Held: \($0)." }
            try await eventually("five calls are in flight") { try await simulator.inFlight() == 5 }
            try await simulator.change(["latency": "0"])
            let settings = ["RENGA_LEASE": "2s"]
            let calendar = try turned(scenario, "rescuer", by: Self.day)
            _ = try scenario.work(simulator, settings.merging(calendar.variables) { $1 })
            // It renews its leases: the other must not take them away meanwhile.
            try await Task.sleep(for: .seconds(4))
            try demand(try await scenario.record.unfinished() == 5, "a worker a day ahead took what was held")
            await victim.killAndWait()
            let start = ContinuousClock.now
            try await scenario.allFinished(within: .seconds(20))
            let seconds = (ContinuousClock.now - start).seconds
            Figures.print(
                "workers a day ahead and a day behind",
                ["rescue after a kill, lease 2 s": "\(seconds.text(2)) s"])
            try demandPace(seconds < 4, "the rescue took \(seconds.text(2)) s")
        }

        private func turned(_ scenario: Scenario, _ name: String, by step: Int64) throws -> Calendar {
            try Calendar(
                in: scenario.folder.path, named: name, at: SystemClock().timestampMilliseconds() + step)
        }
    }
}

extension Record {
    /// By process, how many calls a worker made.
    fileprivate func shares() async throws -> [Int32: Int] {
        let rows = try await rows(
            """
            SELECT worker.process_id, count(*)
            FROM attempt JOIN worker ON worker.id = attempt.worker_id
            GROUP BY 1
            """
        ) { row in (Int32(row.int(0)), row.int(1)) }
        return Dictionary(uniqueKeysWithValues: rows)
    }
}
