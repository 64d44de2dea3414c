import Testing

extension Proofs {
    /// A large queue does not keep a small one waiting.
    @Suite struct Fairness {
        @Test func `A small queue beside a large one of equal weight is done in the time of its share`()
            async throws
        {
            try await Scenario.run { scenario in
                let backlog = Form.pick(short: 5_000, long: 100_000)
                let (few, slots) = (100, 10)
                let simulator = try await scenario.simulator(["latency": "30ms", "latency-sigma": "0"])
                let server = try await scenario.serve(simulator)
                _ = try scenario.works(2, simulator, ["RENGA_CONCURRENCY": "\(slots)"])
                try await server.warmUp()
                let record = scenario.record
                try await server.enqueue(backlog, as: "large", into: "large") { "Large \($0)" }
                try await eventually("the large queue is worked on", within: .seconds(60)) {
                    try await record.finished(in: "large") > 200
                }

                let start = ContinuousClock.now
                let before = try await record.lastFinish(in: "large")
                try await server.enqueue(few, as: "small", into: "small") { "Small \($0)" }
                try await eventually("the small queue is done", within: .seconds(60)) {
                    try await record.unfinished(in: "small") == 0
                }
                let seconds = (ContinuousClock.now - start).seconds
                let others = try await record.finished(
                    in: "large", after: before, upTo: try await record.lastFinish(in: "small"))
                let left = try await record.unfinished(in: "large")
                Figures.print(
                    "a small queue beside a large one",
                    [
                        "jobs of the large queue": "\(backlog)", "of the small one": "\(few)",
                        "small one done after": "\(seconds.text(2)) s",
                        "large one's jobs finished meanwhile": "\(others)",
                    ])
                try demand(left > 0, "the large queue ran out, nothing was shared")
                // Its share is one to one; what was in flight when it came ends before it.
                let most = few + 6 * slots
                try demand(others <= most, "\(others) of the large queue's jobs were finished meanwhile")
            }
        }
    }
}
