import Testing

extension Proofs {
    /// No credit, no key, no such model: the jobs wait for somebody to mend it, and none of them fails of it.
    @Suite struct NobodysFault {
        @Test(arguments: ["spend-cap", "user-spend-cap", "credit"])
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
                try await eventually("the key's gate says so") {
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

        @Test func `A worker with an old key stands aside, is named with the cure, and the good one goes on`()
            async throws
        {
            try await Scenario.run { scenario in
                let simulator = try await scenario.simulator(["latency": "50ms", "keys": "sk-simulated"])
                let server = try await scenario.serve(simulator)
                _ = try scenario.work(simulator, ["RENGA_CONCURRENCY": "10"])
                try await server.warmUp()
                let old = try scenario.work(
                    simulator, ["RENGA_CONCURRENCY": "10", "ANTHROPIC_API_KEY": "sk-old"])
                let record = scenario.record
                try await server.enqueue(600)
                try await eventually("the old key is refused") {
                    try await record.gates().contains("credential")
                }
                let began = ContinuousClock.now
                try await scenario.allFinished(within: .seconds(60))
                let seconds = (ContinuousClock.now - began).seconds
                let status = try await scenario.finish(["status"], ["RENGA_URL": server.url])
                let told = old.errors.split(separator: "\n").filter { $0.contains("work is held up") }
                Figures.print(
                    "a worker with an old key beside a good one, 600 jobs",
                    ["finished after": "\(seconds.text()) s", "lines about it": "\(told.count)"])
                try demand(try await record.count(of: "succeeded") == 601, "not all succeeded")
                try demand(try await record.blamed() == 0, "somebody was blamed")
                try demandPace(seconds < 20, "600 jobs took \(seconds.text()) s")
                for words in ["refuses the API key ANTHROPIC_API_KEY", "401", "restart"] {
                    try demand(
                        status.output.contains(words), "status does not say “\(words)”: \(status.output)")
                }
                try demand(told.count == 1, "\(told.count) lines: \(old.errors.suffix(2000))")
                try demand(!old.errors.contains("sk-old"), "the key is in the log")
            }
        }

        @Test func `A misspelt model costs about 20 calls, and one command corrects it`() async throws {
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
                try await eventually("the others are held back") {
                    try await !record.heldBack().isEmpty
                }
                // From now on single ones are asked: after one second, after two more.
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
                        "message": try await record.heldBack().joined(separator: "; "),
                    ])
                try demand(failed <= 24 && failed > 0, "\(failed) jobs failed")
                try demand(calls <= 24, "\(calls) calls were made")
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
