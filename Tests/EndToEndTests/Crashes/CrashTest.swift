import Glibc
import Testing
import TestSupport

extension Proofs {
    /// Processes die all the time, and nobody notices but the bill of what was in flight.
    @Suite struct Crash {
        @Test(arguments: Engine.all)
        func `Any process killed at any moment costs no job, ends none twice, and hides no cent`(
            on engine: Engine
        )
            async throws
        {
            try await Scenario.run(on: engine) { scenario in
                let (count, kills) = Form.pick(short: (2000, 25), long: (50_000, 500))
                var random = SeededRandom.seeded()
                Figures.print("3 crashes", ["seed, RENGA_SEED repeats it": "\(random.seed)"])
                let simulator = try await scenario.simulator(["latency": "100ms", "latency-sigma": "0.3"])
                let storm = try ChaosRunner(scenario, simulator)
                let start = ContinuousClock.now
                async let delivery = storm.deliver(count, during: kills)
                try await storm.rage(kills: kills, &random)
                let ids = try await delivery
                try await scenario.allFinished(within: .seconds(Form.pick(short: 60, long: 600)))
                let seconds = (ContinuousClock.now - start).seconds
                let calls = try await simulator.calls()
                let books = try await scenario.books
                try await report(storm.toll, calls: calls, jobs: count, seconds, books)

                let jobs = try await books.record.jobs()
                try demand(
                    Set(ids).count == count && jobs.count == count,
                    "\(Set(ids).count) of \(count) were acknowledged, \(jobs.count) are there")
                try demand(jobs.allSatisfy { $0.state == "succeeded" }, "not all succeeded")
                try demand(
                    calls - count <= storm.toll.inFlight,
                    "\(calls - count) calls beyond the jobs, \(storm.toll.inFlight) in flight at the kills")
                let unbooked = try await books.record.unbooked()
                try demand(unbooked == 0, "\(unbooked) calls are neither paid nor unconfirmed")
                try await books.check()
                try await books.compare(with: simulator)
            }
        }

        @Test(arguments: Engine.all)
        func `What a killed worker held is done again within the lease and two seconds`(on engine: Engine)
            async throws
        {
            try await Scenario.run(on: engine) { scenario in
                let simulator = try await scenario.simulator()
                let server = try await scenario.serve(simulator)
                let settings = ["RENGA_LEASE": "3s", "RENGA_CONCURRENCY": "10"]
                let victim = try scenario.work(simulator, settings)
                try await server.warmUp()
                try await simulator.change(["latency": "20s", "latency-sigma": "0"])
                try await server.enqueue(10)
                try await eventually("ten calls are in flight") { try await simulator.inFlight() == 10 }
                try await simulator.change(["latency": "0"])
                _ = try scenario.work(simulator, settings)
                await victim.killAndWait()
                let start = ContinuousClock.now
                try await scenario.allFinished(within: .seconds(10))
                let seconds = (ContinuousClock.now - start).seconds
                Figures.print("9 stopping", ["rescue after a kill, lease 3 s": "\(seconds.text(2)) s"])
                try demandPace(seconds < 5, "the rescue took \(seconds.text(2)) s")
                try demand(try await scenario.record.count(of: "succeeded") == 11, "not all succeeded")
            }
        }

        private func report(
            _ toll: ChaosRunner.Toll, calls: Int, jobs: Int, _ seconds: Double, _ books: Books
        ) async throws {
            let record = books.record
            let spent = try await record.spent()
            Figures.print(
                "3 crashes",
                [
                    "jobs": "\(jobs)", "processes killed": "\(toll.kills)",
                    "of them the server": "\(toll.ofServers)", "seconds": seconds.text(),
                    "succeeded": "\(try await record.count(of: "succeeded"))",
                    "settled twice": "\(try await record.notSettledOnce())",
                    "calls in flight at the kills": "\(toll.inFlight)",
                    "calls beyond the jobs": "\(calls - jobs)",
                    "calls unconfirmed, in the books": "\(try await record.attempts(status: "written_off"))",
                    "nanodollars spent, maybe spent": "\(spent.cost), \(spent.unconfirmedCost)",
                    "most attempts of a job": "\(try await record.jobs().map(\.attempt).max() ?? 0)",
                ])
        }
    }
}
