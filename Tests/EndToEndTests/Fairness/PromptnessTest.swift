import JSON
import Testing

extension Proofs {
    /// Nothing is waited for but the model.
    @Suite struct Promptness {
        @Test(arguments: Engine.all) func `Twenty prompts in five slots take as long as four calls`(
            on engine: Engine
        ) async throws {
            try await Scenario.run(on: engine) { scenario in
                let simulator = try await scenario.simulator(["latency": "600ms", "latency-sigma": "0.1"])
                let server = try await scenario.serve(simulator)
                _ = try scenario.work(simulator, ["RENGA_CONCURRENCY": "5"])
                // What is measured is the work, not the start of processes.
                try await server.warmUp()

                let start = ContinuousClock.now
                let reviews = (1...20).map {
                    "Positive, negative or neutral? Review \($0): the kettle works."
                }
                let ids = try await server.enqueue(20, as: "review", maxTokens: 8) { reviews[$0 - 1] }
                var keys: [String] = []
                for id in ids {
                    let job = try await server.client.get("/v1/jobs/\(id)?wait=30")
                    try demand(job["state"]?.string == "succeeded", "\(id) is \(job["state"]?.string ?? "")")
                    keys.append(job["custom_id"]?.string ?? "")
                }
                let seconds = (ContinuousClock.now - start).seconds
                let most = try await simulator.stats().integer("max_concurrent")
                Figures.print(
                    "2 promptness",
                    ["20 prompts, 5 slots, 600 ms": "\(seconds.text(2)) s", "calls at once": "\(most)"])
                try demand(keys == (1...20).map { "review-\($0)" }, "the results lost their keys: \(keys)")
                try demand(most == 5, "\(most) calls at once")
                try demandPace(seconds < 3, "took \(seconds.text(2)) s")
            }
        }
    }
}
