import Glibc
import Testing

extension Proofs {
    /// Workers die all the time, and nobody notices but the bill of what was in flight.
    @Suite struct Crash {
        @Test func `Workers killed all the time lose no job and finish none twice`() async throws {
            try await Scenario.run { scenario in
                let count = Form.pick(short: 2000, long: 10_000)
                let simulator = try await scenario.simulator(["latency": "100ms", "latency-sigma": "0.3"])
                let server = try await scenario.serve(simulator)
                let settings = ["RENGA_LEASE": "2s", "RENGA_CONCURRENCY": "20"]
                try await server.enqueue(count)
                let start = ContinuousClock.now
                var killer = Killer(scenario: scenario, simulator: simulator, settings: settings)
                try await killer.run(until: count)
                let seconds = (ContinuousClock.now - start).seconds

                let record = scenario.record
                let calls = try await simulator.calls()
                let twice = try await record.notSettledOnce()
                let succeeded = try await record.count(of: "succeeded")
                let longest = try await record.jobs().map(\.attempt).max() ?? 0
                Figures.print(
                    "3 crashes",
                    [
                        "jobs": "\(count)", "workers killed": "\(killer.kills)", "seconds": seconds.text(),
                        "succeeded": "\(succeeded)", "settled twice": "\(twice)",
                        "calls beyond the jobs": "\(calls - count)",
                        "calls in flight at the kills": "\(killer.inFlight)",
                        "most attempts of a job": "\(longest)",
                    ])
                try demand(succeeded == count, "\(succeeded) of \(count) succeeded")
                try demand(twice == 0, "\(twice) jobs were not settled once")
                try demand(killer.kills >= 10, "only \(killer.kills) kills: nothing was proved")
                try demand(
                    calls - count <= killer.inFlight,
                    "\(calls - count) calls beyond the jobs, \(killer.inFlight) in flight at the kills")
                try demand(try await record.isSound(), "the database is damaged")
            }
        }

        @Test func `What a killed worker held is done again within the lease and two seconds`() async throws {
            try await Scenario.run { scenario in
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
                try demand(seconds < 5, "the rescue took \(seconds.text(2)) s")
                try demand(try await scenario.record.count(of: "succeeded") == 11, "not all succeeded")
            }
        }
    }
}

/// Keeps three workers running and kills one of them every 200 ms.
private struct Killer {
    let scenario: Scenario
    let simulator: Simulated
    let settings: [String: String]
    private(set) var kills = 0
    /// Attempts that the killed left open, summed up: as many calls may be made again.
    private(set) var inFlight = 0

    init(scenario: Scenario, simulator: Simulated, settings: [String: String]) {
        self.scenario = scenario
        self.simulator = simulator
        self.settings = settings
    }

    mutating func run(until count: Int) async throws {
        var workers = try scenario.works(3, simulator, settings)
        try await eventually("the first calls are made") { try await simulator.calls() > 0 }
        let end = ContinuousClock.now + .seconds(Form.pick(short: 90, long: 600))
        var next = ContinuousClock.now
        while try await scenario.record.unfinished() > 0 {
            try demand(ContinuousClock.now < end, "the jobs did not end in time")
            // The oldest has had the time to claim.
            let victim = workers.removeFirst()
            await victim.killAndWait()
            // Its leases have just been renewed or soon end: nobody has written them off yet.
            inFlight += try await scenario.record.openAttempts(ofProcess: victim.pid)
            kills += 1
            workers.append(try scenario.work(simulator, settings))
            next = max(next + .milliseconds(200), ContinuousClock.now)
            try await Task.sleep(until: next)
        }
    }
}
