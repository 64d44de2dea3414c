import TestPostgres
import TestSupport
import Testing

extension Proofs {
    /// The database server dies too, and its processes, and the sessions on it.
    @Suite struct DatabaseStorm {
        @Test(.enabled(if: Engine.all.contains(.postgres)))
        func
            `A database server and processes killed at any moment cost no job, end none twice, and hide no cent`()
            async throws
        {
            try await Scenario.run(on: .postgres, server: { try TestPostgres(isDurable: true) }) { scenario in
                let (count, kills) = Form.pick(short: (1500, 9), long: (30_000, 240))
                var random = SeededRandom.seeded()
                Figures.print("a database storm", ["seed, RENGA_SEED repeats it": "\(random.seed)"])
                let simulator = try await scenario.simulator(["latency": "100ms", "latency-sigma": "0.3"])
                let harm = DatabaseHarm(try scenario.server())
                // Longer than the server is away: it costs no call.
                let storm = try ChaosRunner(scenario, simulator, servers: 2, lease: "6s", mayEnd: true)
                var strikes = Self.strikes(for: kills, &random)
                let start = ContinuousClock.now
                async let delivery = storm.deliver(count, during: kills)
                try await storm.rage(kills: kills, &random) { random in
                    guard let next = strikes.popLast() else { return }
                    try await harm.strike(next, &random)
                }
                let ids = try await delivery
                try await finish(scenario, storm)
                let seconds = (ContinuousClock.now - start).seconds
                let calls = try await simulator.calls()
                let books = try await scenario.books
                try await report(storm.toll, harm.toll, calls: calls, jobs: count, seconds, books.record)

                let jobs = try await books.record.jobs()
                try demand(
                    Set(ids).count == count && jobs.count == count,
                    "\(Set(ids).count) of \(count) were acknowledged, \(jobs.count) are there")
                try demand(jobs.allSatisfy { $0.state == "succeeded" }, "not all succeeded")
                let inFlight = storm.toll.inFlight + harm.toll.inFlight
                try demand(
                    calls - count <= inFlight,
                    "\(calls - count) calls beyond the jobs, \(inFlight) in flight at the kills")
                let unbooked = try await books.record.unbooked()
                try demand(unbooked == 0, "\(unbooked) calls are neither paid nor unconfirmed")
                try await books.check()
                try await books.compare(with: simulator)
            }
        }

        /// One for each kill of a process: of each kind at least two.
        private static func strikes(for kills: Int, _ random: inout SeededRandom) -> [DatabaseHarm.Kind] {
            (0..<kills).map { DatabaseHarm.Kind.allCases[$0 % 3] }.shuffled(using: &random)
        }

        private func finish(_ scenario: Scenario, _ storm: ChaosRunner) async throws {
            let record = scenario.record
            let bound = Duration.seconds(Form.pick(short: 90, long: 600))
            try await eventually("every job is finished", within: bound, every: .milliseconds(100)) {
                try storm.restartEnded()
                return try await record.unfinished() == 0
            }
        }

        private func report(
            _ toll: ChaosRunner.Toll, _ harm: DatabaseHarm.Toll, calls: Int, jobs: Int, _ seconds: Double,
            _ record: Record
        ) async throws {
            let spent = try await record.spent()
            let strikes = DatabaseHarm.Kind.allCases.map { "\($0.rawValue): \(harm.strikes[$0] ?? 0)" }
            Figures.print(
                "a database storm",
                [
                    "jobs": "\(jobs)", "processes killed": "\(toll.kills)",
                    "of them servers": "\(toll.ofServers)", "ended by themselves": "\(toll.ended)",
                    "beside that": strikes.joined(separator: ", "), "seconds": seconds.text(),
                    "longest absence": "\(harm.longestAbsence.text(2)) s",
                    "succeeded": "\(try await record.count(of: "succeeded"))",
                    "settled twice": "\(try await record.notSettledOnce())",
                    "calls in flight at kills of processes": "\(toll.inFlight)",
                    "calls in flight at strikes of the database": "\(harm.inFlight)",
                    "calls beyond the jobs": "\(calls - jobs)",
                    "calls unconfirmed, in the books": "\(try await record.attempts(status: "written_off"))",
                    "nanodollars spent, maybe spent": "\(spent.cost), \(spent.unconfirmedCost)",
                ])
        }
    }
}
