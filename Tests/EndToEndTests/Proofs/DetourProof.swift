import System
import Testing

extension Proofs {
    /// A provider or one of its addresses dies in the middle of the work, and others take over.
    @Suite struct Detour {
        private static let settings = ["RENGA_CONCURRENCY": "10", "RENGA_BACKOFF_CAP": "2s"]

        @Test func `When a provider dies its fallback answers, and no job fails`() async throws {
            try await Scenario.run { scenario in
                let count = Form.pick(short: 600, long: 5000)
                let first = try await scenario.simulator(["latency": "100ms"])
                let second = try await scenario.simulator(["latency": "100ms"])
                let file = try scenario.configuration(
                    """
                    {"model":"one","providers":{
                        "first":{"base_urls":["\(first.url)"]},"second":{"base_urls":["\(second.url)"]}},
                     "routes":{
                        "one":{"provider":"first","model":"claude-haiku-4-5-20251001",
                            "fallbacks":[{"route":"two","on":["breaker","overloaded"]}]},
                        "two":{"provider":"second","model":"claude-haiku-4-5-20251001"}}}
                    """)
                let settings = Self.settings.merging(["RENGA_CONFIG": file]) { $1 }
                let server = try await scenario.serve(first, settings)
                _ = try scenario.works(2, first, settings)
                try await server.warmUp()
                try await server.enqueue(count)
                try await eventually("work is in full swing") { try await first.calls() >= 60 }
                await first.child.killAndWait()
                let start = ContinuousClock.now
                try await eventually("the fallback is called", every: .milliseconds(10)) {
                    try await second.calls() > 0
                }
                let taken = (ContinuousClock.now - start).seconds
                try await scenario.allFinished(within: .seconds(Form.pick(short: 30, long: 300)))
                let answered = try await scenario.record.answered()
                Figures.print(
                    "a provider dies, its fallback answers",
                    [
                        "jobs": "\(count)", "answered by the first": "\(answered["first"] ?? 0)",
                        "by the fallback": "\(answered["second"] ?? 0)",
                        "fallback called after": "\(taken.text(2)) s",
                        "failed": "\(try await scenario.record.count(of: "failed"))",
                    ])
                try demand(
                    try await scenario.record.count(of: "succeeded") == count + 1, "not all succeeded")
                try demand((answered["second"] ?? 0) > count / 2, "the fallback answered \(answered)")
            }
        }

        @Test func `The faster address is used, and left within a second when it dies`() async throws {
            try await Scenario.run { scenario in
                let count = Form.pick(short: 500, long: 3000)
                let slow = try await scenario.simulator(["latency": "150ms", "latency-sigma": "0.1"])
                let fast = try await scenario.simulator(["latency": "30ms", "latency-sigma": "0.1"])
                let file = try scenario.configuration(
                    """
                    {"providers":{"anthropic":{"base_urls":["\(slow.url)","\(fast.url)"]}},
                     "routes":{"one":{"provider":"anthropic","model":"claude-haiku-4-5-20251001"}}}
                    """)
                let settings = Self.settings.merging(["RENGA_CONFIG": file]) { $1 }
                let server = try await scenario.serve(slow, settings)
                let workers = try scenario.works(2, slow, settings)
                try await server.warmUp()
                try await server.enqueue(count)
                try await eventually("work is in full swing") { try await fast.calls() >= 150 }
                let before = try await slow.calls()
                let share = Double(before) / Double(before + (try await fast.calls()))
                await fast.child.killAndWait()
                let start = ContinuousClock.now
                try await eventually("the other is called", every: .milliseconds(10)) {
                    try await slow.calls() >= before + 5
                }
                let left = (ContinuousClock.now - start).seconds
                try await scenario.allFinished(within: .seconds(Form.pick(short: 30, long: 120)))
                Figures.print(
                    "two addresses, 150 ms and 30 ms, the faster dies",
                    [
                        "jobs": "\(count)", "share of the slower before": "\((share * 100).text()) %",
                        "left after": "\(left.text(2)) s",
                        "blamed": "\(try await scenario.record.blamed())",
                    ])
                try demand(
                    try await scenario.record.count(of: "succeeded") == count + 1, "not all succeeded")
                try demand(share < 0.2, "the slower got \(before) calls")
                try demand(left < 1, "the dead address was left after \(left.text(2)) s")
                try demand(
                    workers.contains { $0.errors.contains("endpoints ranked") }, "the log has no ranking")
            }
        }
    }
}

extension Scenario {
    /// Writes `renga.json` and returns its path.
    fileprivate func configuration(_ json: String) throws -> String {
        let path = folder.path + "/renga.json"
        try writeSecretFile(path: path, bytes: Array(json.utf8))
        return path
    }
}
