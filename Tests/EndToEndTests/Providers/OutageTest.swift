import Testing

extension Proofs {
    /// The whole provider is down, and that is no job's fault.
    @Suite struct Outage {
        @Test func `An outage of the provider fails no job`() async throws {
            try await Scenario.run { scenario in
                let seconds = Form.pick(short: 8, long: 60)
                let count = Form.pick(short: 1500, long: 4000)
                let simulator = try await scenario.simulator(["latency": "200ms"])
                let server = try await scenario.serve(simulator)
                try await server.enqueue(count)
                _ = try scenario.works(3, simulator, ["RENGA_CONCURRENCY": "20"])
                try await eventually("work is in full swing") { try await simulator.calls() >= 200 }

                let half = "\(seconds * 500)ms"
                let before = try await simulator.stats()
                try await simulator.change(["outage": "0s+\(half):reset,\(half)+\(half):500"])
                let inFlight = before.integer("in_flight")
                try await scenario.allFinished(within: .seconds(seconds + 90))

                let record = scenario.record
                let (failed, blamed) = (try await record.count(of: "failed"), try await record.blamed())
                let journal = try await simulator.journal()
                let struck = journal.filter { $0.fault != nil }.count
                Figures.print(
                    "7 an outage",
                    [
                        "seconds": "\(seconds)", "jobs": "\(count)", "failed": "\(failed)",
                        "calls in flight at its start": "\(inFlight)", "calls that met it": "\(struck)",
                        "attempts blamed": "\(blamed)",
                    ])
                try demand(failed == 0, "\(failed) jobs failed")
                try demand(try await record.count(of: "succeeded") == count, "not all succeeded")
                try demand(blamed <= 60, "\(blamed) attempts were blamed, 60 slots were there")
                try demand(struck > 5, "the outage met nobody")
            }
        }
    }
}
