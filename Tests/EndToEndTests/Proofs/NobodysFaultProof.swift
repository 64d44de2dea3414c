import Testing

extension Proofs {
    /// No credit, no key, no such model: the jobs wait for somebody to mend it, and none of them fails of it.
    @Suite struct NobodysFault {
        @Test(arguments: ["spend-cap", "user-spend-cap"])
        func `A spend cap fails no job, and is asked about now and then only`(_ cap: String) async throws {
            try await Scenario.run { scenario in
                let simulator = try await self.busy(scenario)
                try await simulator.change(["outage": "0s+3600s:\(cap)"])
                let record = scenario.record
                try await eventually("the route's gate says so") {
                    try await record.gates().contains("spend_cap")
                }
                // The probe that confirms the cap, and what was in flight, come in the first moments.
                try await Task.sleep(for: .seconds(2))
                let before = try await simulator.calls()
                let seconds = Form.pick(short: 2, long: 60)
                try await Task.sleep(for: .seconds(seconds))
                let probes = try await simulator.calls() - before
                try await simulator.change(["outage": ""])
                let mended = ContinuousClock.now
                try await eventually("work goes on", within: .seconds(Form.pick(short: 20, long: 310))) {
                    try await record.gates().contains("spend_cap") == false
                }
                let resumed = (ContinuousClock.now - mended).seconds
                let failed = try await record.count(of: "failed")
                Figures.print(
                    "\(cap), 5,000 queued",
                    [
                        "failed": "\(failed)", "seconds watched": "\(seconds)", "probes": "\(probes)",
                        "resumed after": "\(resumed.text()) s", "blamed": "\(try await record.blamed())",
                    ])
                try demand(failed == 0, "\(failed) jobs failed")
                try demand(try await record.blamed() == 0, "somebody was blamed")
                try demand(probes <= max(1, seconds / 6), "\(probes) probes in \(seconds) s")
            }
        }

        @Test func `A wrong key in the middle of a run fails no job, and its mending is found within 5 s`()
            async throws
        {
            try await Scenario.run { scenario in
                let simulator = try await self.busy(scenario)
                try await simulator.change(["keys": "another"])
                let record = scenario.record
                try await eventually("the route's gate says so") {
                    try await record.gates().contains("credential")
                }
                try await Task.sleep(for: .seconds(Form.pick(short: 3, long: 30)))
                let (calls, succeeded) = (
                    try await simulator.calls(), try await record.count(of: "succeeded")
                )
                try await simulator.change(["keys": ""])
                let mended = ContinuousClock.now
                try await eventually("jobs succeed again", every: .milliseconds(20)) {
                    try await record.count(of: "succeeded") > succeeded
                }
                let resumed = (ContinuousClock.now - mended).seconds
                let failed = try await record.count(of: "failed")
                Figures.print(
                    "a wrong key, 5,000 queued",
                    [
                        "failed": "\(failed)", "calls until then": "\(calls)",
                        "resumed after": "\(resumed.text(2)) s",
                    ])
                try demand(failed == 0, "\(failed) jobs failed")
                try demand(try await record.blamed() == 0, "somebody was blamed")
                try demandPace(resumed < 5, "the mending was found after \(resumed.text(2)) s")
            }
        }

        @Test func `A misspelt model costs at most 20 calls, and one command mends it`() async throws {
            try await Scenario.run { scenario in
                let simulator = try await scenario.simulator(["latency": "20ms"])
                let server = try await scenario.serve(simulator)
                _ = try scenario.works(4, simulator)
                try await server.warmUp()
                let (warm, others) = (try await simulator.stats(), 500)
                let lines = (1...others).map {
                    #"{"request":{"model":"claude-haiku-4-5-20251O01","max_tokens":8,"messages":[{"role":"user","content":"\#($0)"}]}}"#
                }
                _ = try await server.client.call(
                    "POST", "/v1/jobs/bulk", Array(lines.joined(separator: "\n").utf8),
                    headers: [("content-type", "application/x-ndjson")])
                let record = scenario.record
                try await eventually("the queue paused itself") {
                    try await !record.pauseReasons().isEmpty
                }
                // Nothing more is called once the last answer is there.
                try await Task.sleep(for: .seconds(1))
                let after = try await simulator.stats()
                let calls =
                    after.integer("calls") + after.integer("other_requests") - warm.integer("calls")
                    - warm.integer("other_requests")
                let failed = try await record.count(of: "failed")
                Figures.print(
                    "a misspelt model, 500 jobs, 4 workers",
                    [
                        "calls": "\(calls)", "failed": "\(failed)",
                        "message": try await record.pauseReasons().joined(separator: "; "),
                    ])
                try demand(failed <= 20 && failed > 0, "\(failed) jobs failed")
                try demand(calls <= 20, "\(calls) calls were made")
                let mended = try await scenario.finish(
                    [
                        "retry", "--model", "claude-haiku-4-5-20251O01", "--set",
                        "model=claude-haiku-4-5-20251001",
                    ], ["RENGA_URL": server.url])
                try demand(mended.status == .status(0), "renga retry: \(mended.output)\(mended.errors)")
                try await scenario.allFinished(within: .seconds(30))
                try demand(try await record.count(of: "succeeded") == others + 1, "not all were mended")
            }
        }

        /// A simulator under full load of a queue of 5,000.
        private func busy(_ scenario: Scenario) async throws -> Simulated {
            let simulator = try await scenario.simulator(["latency": "200ms"])
            let server = try await scenario.serve(simulator)
            try await server.warmUpAndFill(scenario, simulator)
            return simulator
        }
    }
}

extension Server {
    fileprivate func warmUpAndFill(_ scenario: Scenario, _ simulator: Simulated) async throws {
        _ = try scenario.works(2, simulator, ["RENGA_CONCURRENCY": "10"])
        try await warmUp()
        try await enqueue(5000)
        let target = 60
        try await eventually("work is in full swing") { try await simulator.calls() >= target }
    }
}
