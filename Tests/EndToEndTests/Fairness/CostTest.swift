import JSON
import Jobs
import Testing

extension Proofs {
    /// A thousand jobs of all kinds, and what they cost by a sum done by hand.
    @Suite struct Costs {
        /// A kind of job and what one of it costs, in nano-dollars.
        ///
        /// The simulator counts a token for every four bytes, and 8 for one message; Haiku 4.5 costs 1000 a token in and 5000
        /// a token out, Haiku 5.5 100 and 500, and five times as much where the prompt has more than 100,000 tokens.
        private struct Kind: Sendable {
            let name: String
            let jobs: Int
            let cost: Int64
            /// What the first of the kind costs, where that is another sum.
            var first: Int64?
            let line: @Sendable (Int) -> String
        }

        /// 400 bytes: 100 tokens.
        private static func prompt(_ marker: String, _ number: Int, bytes: Int = 400) -> String {
            let start = "\(marker) \(number) "
            return start + String(repeating: "x", count: bytes - start.utf8.count)
        }

        private static func plain(
            _ marker: String, model: String = "claude-haiku-4-5-20251001", maxTokens: Int = 100,
            bytes: Int = 400, members: String = ""
        ) -> @Sendable (Int) -> String {
            { number in
                #"{"model":"\#(model)","max_tokens":\#(maxTokens),"messages":[{"role":"user","content":"\#(prompt(marker, number, bytes: bytes))"}]\#(members)}"#
            }
        }

        /// Behind a system prompt of 20,000 bytes, 5,000 tokens, that the provider caches.
        private static func cached(_ letter: Character, ttl: String) -> @Sendable (Int) -> String {
            let system = String(repeating: letter, count: 20_000)
            return { number in
                #"{"model":"claude-haiku-4-5-20251001","max_tokens":100,"system":[{"type":"text","text":"\#(system)","#
                    + #""cache_control":{"type":"ephemeral","ttl":"\#(ttl)"}}],"#
                    + #""messages":[{"role":"user","content":"\#(prompt("[[sim:output=20]]", number))"}]}"#
            }
        }

        private static let plain = plain("[[sim:output=20]]")

        /// The sums, by hand.
        ///
        /// Broken streams brought 384 bytes of text, a token for every three as far as anybody knows.
        private static let kinds: [Kind] = [
            // 108 × 1000 + 20 × 5000.
            Kind(name: "plain", jobs: 340, cost: 208_000, line: plain),
            // Half of it.
            Kind(name: "batch-tier", jobs: 100, cost: 104_000, line: plain("[[sim:output=20;batch]]")),
            // 107 × 1000 + 20 × 5000 + 5001 read × 100; the first wrote them × 1250.
            Kind(
                name: "cached-5m", jobs: 100, cost: 707_100, first: 6_458_250, line: cached("a", ttl: "5m")),
            // The same, written × 2000.
            Kind(
                name: "cached-1h", jobs: 100, cost: 707_100, first: 10_209_000, line: cached("b", ttl: "1h")),
            // 100,008 tokens are 130,010 of the newer tokenizer: × 500, and 20 × 2500.
            Kind(
                name: "long", jobs: 20, cost: 65_055_000,
                line: plain("[[sim:output=20]]", model: "claude-haiku-5-5", bytes: 400_000)),
            // 108 tokens are 140 of the newer tokenizer: 140 × 100 + 20 × 500, and a tenth more within the United States.
            Kind(
                name: "us", jobs: 40, cost: 26_400,
                line: plain(
                    "[[sim:output=20]]", model: "claude-haiku-5-5", members: #","inference_geo":"us""#)),
            // The tool brings 513 tokens: 621 × 1000 + 20 × 5000, and three searches at 10,000,000.
            Kind(
                name: "searched", jobs: 20, cost: 30_721_000,
                line: plain(
                    "[[sim:output=20;searches=9]]",
                    members: #","tools":[{"type":"web_search_20250305","name":"web_search","max_uses":3}]"#)),
            Kind(name: "refusal", jobs: 100, cost: 0, line: plain("[[sim:refusal]]")),
            Kind(name: "refused", jobs: 10, cost: 0, line: plain("[[sim:400]]")),
            // 108 × 1000 + 128 × 5000 of the stream that broke, and 108 × 1000 + 200 × 5000 of the one that did not.
            Kind(
                name: "error-event", jobs: 80, cost: 1_856_000,
                line: plain("[[sim:output=200;error-event;times=1]]", maxTokens: 5000)),
            Kind(
                name: "truncated", jobs: 50, cost: 1_856_000,
                line: plain("[[sim:output=200;truncate;times=1]]", maxTokens: 5000)),
            // The first call's answer never came: what it may have cost is told apart.
            Kind(
                name: "dropped", jobs: 40, cost: 208_000, line: plain("[[sim:output=20;drop-after;times=1]]")),
        ]
        private static let total: Int64 = 2_403_969_050
        /// The provider was paid for what never arrived too: 72 tokens of each broken stream, and the dropped answers.
        private static let account = total + 130 * 72 * 5000 + 40 * 208_000

        @Test func `A thousand jobs of all kinds cost what the table says, to the nano-dollar`() async throws
        {
            try await Scenario.run { scenario in
                let simulator = try await scenario.simulator()
                let settings = ["RENGA_BACKOFF_BASE": "10ms", "RENGA_BACKOFF_CAP": "100ms"]
                let server = try await scenario.serve(simulator, settings)
                _ = try scenario.works(2, simulator, settings)
                // Whoever comes first writes the provider's cache.
                for kind in Self.kinds where kind.first != nil {
                    let answer = try await server.client.post("/v1/jobs?wait=30", Self.job(kind, 0))
                    try demand(answer.json?["state"]?.string == "succeeded", answer.text)
                }
                let rest = Self.kinds.flatMap { kind in
                    ((kind.first == nil ? 0 : 1)..<kind.jobs).map { (kind: kind, number: $0) }
                }
                // In no order, so that what fails has successes beside it.
                let mixed = rest.indices.map { rest[$0 * 389 % rest.count] }
                let lines = mixed.map { Self.job($0.kind, $0.number) }.joined(separator: "\n")
                let answer = try await server.client.call(
                    "POST", "/v1/jobs/bulk", Array(lines.utf8),
                    headers: [("content-type", "application/x-ndjson")])
                try demand(answer.status == 200, answer.text)
                try await scenario.allFinished(within: .seconds(120))
                try await judge(server, simulator)
            }
        }

        private static func job(_ kind: Kind, _ number: Int) -> String {
            #"{"tags":["\#(kind.name)"],"cache":"off","request":\#(kind.line(number))}"#
        }

        @Test func `A thousand jobs behind one system prompt write it once`() async throws {
            try await Scenario.run { scenario in
                let simulator = try await scenario.simulator(["latency": "50ms"])
                let server = try await scenario.serve(simulator)
                _ = try scenario.works(4, simulator)
                let line = Self.cached("w", ttl: "5m")
                let lines = (0..<1000).map { #"{"request":\#(line($0))}"# }.joined(separator: "\n")
                let answer = try await server.client.call(
                    "POST", "/v1/jobs/bulk", Array(lines.utf8),
                    headers: [("content-type", "application/x-ndjson")])
                try demand(answer.status == 200, answer.text)
                try await scenario.allFinished(within: .seconds(60))
                let stats = try await simulator.stats()
                let written = stats.integer("cache_creation_input_tokens")
                let read = stats.integer("cache_read_input_tokens")
                Figures.print(
                    "a thousand jobs behind one system prompt",
                    [
                        "calls": "\(stats.integer("calls"))", "tokens written": "\(written)",
                        "tokens read": "\(read)",
                    ])
                try demand(written == 5001, "\(written) tokens were written, 5001 would have done")
                try demand(read == 999 * 5001, "\(read) tokens were read")
            }
        }

        private func judge(_ server: Server, _ simulator: Simulated) async throws {
            var sum: Int64 = 0
            var jobs = 0
            for kind in Self.kinds {
                let page =
                    try await server.client.get("/v1/jobs?limit=500&tag=\(kind.name)")["data"]?.elements ?? []
                let costs = page.compactMap {
                    $0["cost_usd"]?.string.flatMap(Money.init(dollars:))?.nanodollars
                }
                let expected =
                    (kind.first.map { [$0] } ?? [])
                    + Array(repeating: kind.cost, count: kind.jobs - (kind.first == nil ? 0 : 1))
                try demand(
                    costs.sorted() == expected.sorted(),
                    "\(kind.name): \(Set(costs).sorted()) of \(costs.count) jobs, by hand \(kind.cost)")
                sum += costs.reduce(0, +)
                jobs += costs.count
            }
            let days = try await server.client.get("/v1/stats")["spend"]?.elements ?? []
            let booked = days.compactMap { $0["cost_usd"]?.string.flatMap(Money.init(dollars:))?.nanodollars }
            let account = Int64(try await simulator.stats().integer("cost_nanodollars"))
            Figures.print(
                "a thousand jobs of all kinds",
                [
                    "jobs": "\(jobs)", "cost": "\(sum)", "by hand": "\(Self.total)",
                    "the provider's account": "\(account)", "of it never arrived": "\(account - sum)",
                ])
            try demand(jobs == 1000, "\(jobs) jobs")
            try demand(sum == Self.total, "the jobs cost \(sum), by hand \(Self.total)")
            try demand(booked.reduce(0, +) == Self.total, "the spend is \(booked), by hand \(Self.total)")
            try demand(
                account == Self.account, "the provider's account is \(account), by hand \(Self.account)")
        }
    }
}
