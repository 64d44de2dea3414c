import JSON
import Jobs
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

        @Test func `What a budget holds back its fallback answers`() async throws {
            try await Scenario.run { scenario in
                let dear = try await scenario.simulator()
                let free = try await scenario.simulator()
                // A call of the dear route costs at most 24 × $1 + 32 × $5 per million and less than $0.0004.
                let file = try scenario.configuration(
                    """
                    {"model":"dear","providers":{
                        "first":{"base_urls":["\(dear.url)"]},"second":{"base_urls":["\(free.url)"]}},
                     "routes":{
                        "dear":{"provider":"first","model":"claude-haiku-4-5-20251001",
                            "fallbacks":[{"route":"free","on":["budget"]}]},
                        "free":{"provider":"second","model":"claude-haiku-4-5-20251001",
                            "prices":{"input":0,"output":0}}}}
                    """)
                let settings = Self.settings.merging(["RENGA_CONFIG": file]) { $1 }
                let server = try await scenario.serve(dear, settings)
                let stated = try await server.client.call(
                    "PUT", "/v1/budgets/daily", Array(#"{"window":"day","usd":"0.002"}"#.utf8))
                try demand([200, 201].contains(stated.status), stated.text)
                _ = try scenario.work(dear, settings)
                try await server.enqueue(40)
                try await scenario.allFinished(within: .seconds(30))
                let answered = try await scenario.record.answered()
                let budget = try await server.client.get("/v1/budgets")["data"]?.elements?.first
                let settled = budget?["settled_usd"]?.string ?? ""
                let first = try await server.client.get("/v1/jobs?limit=1")["data"]?.elements?.first?["id"]?
                    .string
                let attempts = try await server.client.get("/v1/jobs/\(first ?? "")/attempts")["data"]?
                    .elements
                Figures.print(
                    "a budget is reached, its fallback answers",
                    [
                        "answered by the dear route": "\(answered["first"] ?? 0)",
                        "by the free one": "\(answered["second"] ?? 0)", "settled of $0.002": "$\(settled)",
                    ])
                try demand(try await scenario.record.count(of: "succeeded") == 40, "not all succeeded")
                try demand((answered["first"] ?? 0) > 0, "the dear route answered none")
                try demand((answered["second"] ?? 0) > 20, "the fallback answered \(answered)")
                try demand((Double(settled) ?? 1) <= 0.002, "the budget was exceeded: $\(settled)")
                try demand(
                    attempts?.last?["fallback"]?.string == "budget",
                    "the last job does not say why it was lent")
                // With money again the dear route is the jobs' own again.
                let freed = try await server.client.call("DELETE", "/v1/budgets/daily")
                try demand(freed.status == 200, freed.text)
                try await server.enqueue(10, as: "rich") { "Say the number \($0) again." }
                try await scenario.allFinished(within: .seconds(30))
                let after = try await scenario.record.answered()
                try demand(after["second"] == answered["second"], "the fallback answered \(after)")
                try demand(
                    after["first"] == (answered["first"] ?? 0) + 10, "the dear route did not: \(after)")
            }
        }

        @Test func `A provider of chat completions answers at the file's prices`() async throws {
            try await Scenario.run { scenario in
                let local = try await scenario.simulator()
                let file = try scenario.configuration(
                    """
                    {"model":"own","providers":{"local":{"kind":"openai","credential":"LOCAL_KEY",
                        "base_urls":["\(local.url)/v1"]}},
                     "routes":{"own":{"provider":"local","model":"claude-haiku-4-5-20251001",
                        "prices":[{"input":7,"output":9},{"from":"2025-01-01","input":2,"output":4},
                            {"from":"2999-01-01","input":8,"output":16}]}}}
                    """)
                let settings = ["RENGA_CONFIG": file, "LOCAL_KEY": "sk-local"]
                let server = try await scenario.serve(local, settings)
                _ = try scenario.work(local, settings)
                let answer = try await server.client.post(
                    "/v1/jobs?wait=30",
                    #"{"prompt":"[[sim:output=20]] Say it.","model":"own","max_tokens":50}"#)
                let job = try #require(answer.json)
                let usage = try #require(job["usage"])
                let cost = job["cost_usd"]?.string.flatMap(Money.init(dollars:))?.nanodollars
                let expected = Int64(usage.integer("input_tokens") * 2000 + 20 * 4000)
                try demand(job["state"]?.string == "succeeded", answer.text)
                try demand(cost == expected, "it cost \(cost ?? -1), by the file \(expected)")
                try demand(job["model"]?.string == "claude-haiku-4-5-20251001", answer.text)
                try demand(job["requested_model"]?.string == "own", answer.text)
                let days = try await server.client.get("/v1/stats")["spend"]?.elements ?? []
                let booked = days.compactMap {
                    $0["cost_usd"]?.string.flatMap(Money.init(dollars:))?.nanodollars
                }
                try demand(booked == [expected], "booked are \(booked), by the file \(expected)")
                let live = try await server.client.post(
                    "/v1/messages",
                    #"{"model":"own","max_tokens":50,"stream":true,"messages":[{"role":"user","content":"Say it."}]}"#
                )
                try demand(live.status == 200 && live.text.contains("event: message_stop"), live.text)
            }
        }

        @Test func `With a file up asks its provider of chat completions, and no simulator of its own`()
            async throws
        {
            try await Scenario.run { scenario in
                let local = try await scenario.simulator()
                let file = try scenario.configuration(
                    """
                    {"providers":{"local":{"kind":"openai","credential":"LOCAL_KEY",
                        "base_urls":["\(local.url)/v1"]}},
                     "routes":{"own":{"provider":"local","model":"claude-haiku-4-5-20251001"}}}
                    """)
                let port = try Ports.free()
                let child = try scenario.start(
                    ["up"],
                    [
                        "RENGA_CONFIG": file, "RENGA_LISTEN": "127.0.0.1:\(port)",
                        "RENGA_DATABASE": scenario.database, "LOCAL_KEY": "sk-local",
                    ])
                let server = try await scenario.serve(child, port: port)
                let answer = try await server.client.post("/v1/jobs?wait=20", #"{"prompt":"Say it."}"#)
                try demand(answer.json?["state"]?.string == "succeeded", answer.text)
                try demand(answer.json?["simulated"]?.bool != true, "marked as simulated: \(answer.text)")
                try demand(try await local.calls() == 1, "the file's provider was not called")
                let keyless = try await scenario.finish(
                    ["up"], ["RENGA_CONFIG": file, "RENGA_DATABASE": scenario.database])
                try demand(
                    keyless.status == .status(2) && keyless.errors.contains("LOCAL_KEY")
                        && keyless.errors.contains("without RENGA_CONFIG"),
                    "without the key up ended with \(keyless.status): \(keyless.errors)")
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
                try demandPace(left < 1, "the dead address was left after \(left.text(2)) s")
                try demand(
                    workers.contains { $0.errors.contains("endpoints ranked") }, "the log has no ranking")
            }
        }
    }
}
