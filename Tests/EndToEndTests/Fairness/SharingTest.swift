import Testing

extension Proofs {
    /// Many ask the same at once, and the provider is asked once.
    @Suite struct Sharing {
        @Test func `Identical prompts over eight processes make one call`() async throws {
            try await prove("identical prompts, 8 processes", atMost: 1) { _, _, _ in }
        }

        @Test func `With the caller killed in the middle of its call they make two`() async throws {
            try await prove("identical prompts, the caller killed", atMost: 2) {
                scenario, simulator, workers in
                let record = scenario.record
                try await eventually("a worker calls", every: .milliseconds(5)) {
                    try await !record.holders().isEmpty
                }
                let holders = try await record.holders()
                try await simulator.change(["latency": "0"])
                for worker in workers where holders.contains(worker.pid) { await worker.killAndWait() }
            }
        }

        private func prove(
            _ name: String, atMost bound: Int,
            _ meanwhile: (Scenario, Simulated, [Child]) async throws -> Void
        ) async throws {
            try await Scenario.run { scenario in
                let count = Form.pick(short: 2000, long: 10_000)
                // The call must outlast the upload, and the kill of who makes it.
                let latency = (bound > 1 ? 60 : Form.pick(short: 1, long: 6)) * Form.patience
                let simulator = try await scenario.simulator(
                    ["latency": "\(latency)s", "latency-sigma": "0"])
                let server = try await scenario.serve(simulator)
                let workers = try scenario.works(8, simulator, ["RENGA_LEASE": "2s"])
                let start = ContinuousClock.now
                try await server.enqueue(count, maxTokens: 500) { _ in "Is this the same for all?" }
                try await meanwhile(scenario, simulator, workers)
                try await scenario.allFinished(within: .seconds(60))
                let seconds = (ContinuousClock.now - start).seconds
                let calls = try await simulator.calls()
                Figures.print(
                    name, ["jobs": "\(count)", "calls": "\(calls)", "seconds": seconds.text()])
                try demand(try await scenario.record.count(of: "succeeded") == count, "not all succeeded")
                try demand(calls <= bound, "\(calls) calls were made, \(bound) would have done")
            }
        }
    }
}
