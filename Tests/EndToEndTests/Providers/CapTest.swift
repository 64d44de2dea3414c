import JSON
import Testing

extension Proofs {
    /// A cap on calls in flight is kept over all workers, and said to be the bottleneck.
    @Suite struct Caps {
        @Test
        func `A route and a queue at their caps are named as the bottleneck, as more workers would not help`()
            async throws
        {
            try await Scenario.run { scenario in
                let simulator = try await scenario.simulator(["latency": "1s", "latency-sigma": "0"])
                let file = try scenario.configuration(
                    """
                    {"model":"capped","providers":{"first":{"base_urls":["\(simulator.url)"]}},
                     "routes":{"capped":{"provider":"first","model":"claude-haiku-4-5-20251001","concurrency":8}}}
                    """)
                let settings = ["RENGA_CONFIG": file]
                let server = try await scenario.serve(simulator, settings)
                _ = try scenario.works(2, simulator, settings)
                try await server.warmUp()
                let ids = try await server.enqueue(200)
                try await expect("calls in flight, 8 of 8", scenario, server)
                let waiting = try await server.client.get("/v1/jobs/\(ids[199])")["waiting_for"]
                try demand(
                    waiting?["reason"]?.string == "concurrency"
                        && waiting?["detail"]?.string == "8 of 8 calls of the route are in flight",
                    "the last job waits for \(waiting?["detail"]?.string ?? "nothing")")

                let patched = try await server.client.call(
                    "PATCH", "/v1/queues/default", Array(#"{"concurrency":3}"#.utf8))
                try demand(patched.status == 200, patched.text)
                try await expect("jobs of queue default in flight, 3 of 3", scenario, server)
                let most = try await simulator.stats().integer("max_concurrent")
                Figures.print("a route capped at 8, two workers of 40", ["most at once": "\(most)"])
                try demand(most == 8, "\(most) calls flew at once")
            }
        }

        private func expect(_ words: String, _ scenario: Scenario, _ server: Server) async throws {
            try await eventually("/v1/routes says “\(words)”") {
                let routes = try await server.client.get("/v1/routes")["data"]?.elements ?? []
                let bottlenecks = routes.compactMap { $0["bottleneck"] }
                return bottlenecks.contains { $0["detail"]?.string == words }
            }
            let line = "\(words): more workers will not help"
            try await eventually("renga status says “\(line)”") {
                try await scenario.finish(["status"], ["RENGA_URL": server.url]).output.contains(line)
            }
        }
    }
}
