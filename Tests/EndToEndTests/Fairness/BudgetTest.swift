import Glibc
import JSON
import Jobs
import Testing

extension Proofs {
    /// Money: spent to the last call that can be afforded, and never a cent more, whoever dies meanwhile.
    @Suite struct Budgets {
        /// $0.0100, and a call costs $0.000275: 25 tokens in, 50 out.
        private static let limit: Int64 = 10_000_000
        private static let cost: Int64 = 275_000
        private static let settings = ["RENGA_DAILY_BUDGET_USD": "0.0100", "RENGA_CONCURRENCY": "16"]
        private static let provider = ["latency": "300ms", "latency-sigma": "0", "answer-tokens": "400"]

        /// 66 bytes, which the simulator counts as 17 tokens; 8 more frame them.
        private static func prompt(_ index: Int) -> String {
            let number = String(1_000_000 + index)
            return "Tell me a long and quiet story about the river with the no. \(number.dropFirst())"
                .padded(to: 66)
        }

        @Test(arguments: Engine.all)
        func `A cent buys exactly 36 calls of $0.000275 for four workers with 64 calls at once`(
            on engine: Engine
        )
            async throws
        {
            try await Scenario.run(on: engine) { scenario in
                let simulator = try await scenario.simulator(Self.provider)
                let server = try await scenario.serve(simulator)
                let ids = try await server.enqueue(100, maxTokens: 50, prompt: Self.prompt)
                _ = try scenario.works(4, simulator, Self.settings)
                let budget = try await BudgetPage(server).spent(beneath: Self.cost + 100_000)
                try await eventually("the last job waits for money") {
                    try await server.client.get("/v1/jobs/\(ids[99])")["waiting_for"]?["reason"]?.string
                        == "budget"
                }
                let stats = try await simulator.stats()
                Figures.print(
                    "budget of $0.0100",
                    [
                        "calls": "\(stats.integer("calls"))",
                        "most at once": "\(stats.integer("max_concurrent"))",
                        "settled": "\(budget.settled)",
                        "simulator's account": "\(stats.integer("cost_nanodollars"))",
                    ])
                try demand(stats.integer("calls") == 36, "\(stats.integer("calls")) calls")
                try demand(budget.settled == 36 * Self.cost, "settled \(budget.settled)")
                try demand(
                    stats.integer("cost_nanodollars") == 36 * Int(Self.cost), "the simulator says otherwise")
                try demand(
                    try await scenario.record.count(of: "succeeded") == 36, "not as many jobs succeeded")
                try demand(try await scenario.record.count(of: "failed") == 0, "jobs failed")
                let alerts = try await server.client.get("/v1/events")["data"]?.elements ?? []
                try demand(
                    Set(alerts.map { $0.integer("percent") }) == [50, 80, 95, 100], "alerts: \(alerts.count)")
            }
        }

        @Test
        func
            `With the default max_tokens less than one worst case stays unspent, and the waiting job says so`()
            async throws
        {
            try await Scenario.run { scenario in
                let simulator = try await scenario.simulator(["answer-tokens": "40"])
                let server = try await scenario.serve(simulator)
                let ids = try await server.enqueue(100, maxTokens: 1024, prompt: Self.prompt)
                _ = try scenario.works(4, simulator, Self.settings)
                // 90 tokens in at most, and 1,024 out.
                let worst: Int64 = 90_000 + 1_024 * 5_000
                let budget = try await BudgetPage(server).spent(beneath: worst)
                let waiting = try await server.client.get("/v1/jobs/\(ids[99])")["waiting_for"]
                let cost = Int64(try await simulator.stats().integer("cost_nanodollars"))
                Figures.print(
                    "budget of $0.0100, default max_tokens",
                    ["unspent": "\(Self.limit - budget.settled)", "worst case": "\(worst)"])
                try demand(budget.settled == cost, "settled \(budget.settled), the simulator says \(cost)")
                try demand(Self.limit - budget.settled < worst, "\(Self.limit - budget.settled) stay unspent")
                try demand(
                    waiting?["reason"]?.string == "budget",
                    "it waits for \(String(describing: waiting?["reason"]))")
                try demand(
                    waiting?["detail"]?.string?.contains("a smaller max_tokens would help") == true,
                    waiting?["detail"]?.string ?? "no detail")
                try demand(
                    waiting?["until"]?.string?.hasSuffix("T00:00:00.000Z") == true, "not until midnight")
            }
        }

        @Test(arguments: Engine.all)
        func `Whoever is killed, what is settled, reserved and unconfirmed never exceeds the budget`(
            on engine: Engine
        )
            async throws
        {
            try await Scenario.run(on: engine) { scenario in
                let simulator = try await scenario.simulator(Self.provider)
                let server = try await scenario.serve(simulator)
                try await server.enqueue(100, maxTokens: 50, prompt: Self.prompt)
                let settings = Self.settings.merging(["RENGA_LEASE": "2s"]) { $1 }
                var workers = try scenario.works(3, simulator, settings)
                let page = BudgetPage(server)
                var (kills, looks) = (0, 0)
                let end = ContinuousClock.now + .seconds(60)
                while true {
                    let budget = try await page.look()
                    let cost = Int64(try await simulator.stats().integer("cost_nanodollars"))
                    looks += 1
                    try demand(budget.sum <= Self.limit, "\(budget) is more than there is")
                    try demand(cost <= Self.limit, "the simulator was paid \(cost)")
                    // 90 tokens in at most, and 50 out.
                    if budget.reserved == 0, Self.limit - budget.sum < 340_000 { break }
                    try demand(ContinuousClock.now < end, "the money was not spent in time: \(budget)")
                    if looks % 8 == 0, kills < 12 {
                        let victim = workers.remove(at: Int.random(in: workers.indices))
                        await victim.killAndWait()
                        workers.append(try scenario.work(simulator, settings))
                        kills += 1
                    }
                    try await Task.sleep(for: .milliseconds(25))
                }
                let budget = try await page.look()
                let cost = Int64(try await simulator.stats().integer("cost_nanodollars"))
                Figures.print(
                    "budget under kill -9",
                    [
                        "kills": "\(kills)", "looks": "\(looks)", "settled": "\(budget.settled)",
                        "unconfirmed": "\(budget.unconfirmedCost)", "simulator's account": "\(cost)",
                    ])
                try demand(kills >= 3, "only \(kills) kills: nothing was proved")
                try demand(
                    budget.settled <= cost && cost <= budget.settled + budget.unconfirmedCost,
                    "the simulator was paid \(cost), the budget has \(budget)")
            }
        }

        @Test(arguments: Engine.all) func `A batch's receipt adds up to the provider's own account`(
            on engine: Engine
        ) async throws {
            try await Scenario.run(on: engine) { scenario in
                let simulator = try await scenario.simulator([
                    "faults": "500:0.04,refusal:0.05,max-tokens:0.1", "answer-tokens": "60",
                ])
                let server = try await scenario.serve(simulator)
                _ = try scenario.works(2, simulator)
                let answer = try await server.client.call(
                    "POST", "/v1/jobs/bulk?batch=receipt", Self.mixedLines,
                    headers: [("content-type", "application/x-ndjson")])
                try demand(answer.status == 200, answer.text)
                try await scenario.allFinished(within: .seconds(60))
                let batch = try await server.client.get("/v1/jobs/batches/receipt")
                let stats = try await simulator.stats()
                let receipt = batch["cost_usd"]?.string.flatMap(Money.init(dollars:))?.nanodollars ?? -1
                Figures.print(
                    "a batch's receipt",
                    [
                        "jobs": "\(batch["counts"]?.integer("total") ?? 0)",
                        "calls": "\(batch.integer("calls"))",
                        "cached": "\(batch.integer("cached"))", "cost": "\(receipt)",
                        "simulator's account": "\(stats.integer("cost_nanodollars"))",
                    ])
                try demand(
                    receipt == Int64(stats.integer("cost_nanodollars")), "the simulator says otherwise")
                try demand(
                    batch.integer("calls") == stats.integer("calls"), "\(batch.integer("calls")) calls")
                try demand(
                    batch.integer("cached") > 0 && batch["unconfirmed_cost_usd"]?.string == "0", answer.text)
                try demand(
                    stats.integer("cache_read_input_tokens") > 0, "nothing was read from the prompt cache")
                let byQueue = try await server.client.get("/v1/stats?by=queue")["spend_by"]?["queue"]?
                    .elements
                try demand(
                    byQueue?.first?["cost_usd"]?.string == batch["cost_usd"]?.string, "the rollup differs")
            }
        }

        /// Plain prompts, some of them twice; and some behind a long system prompt that the provider caches.
        private static var mixedLines: [UInt8] {
            let long = String(repeating: "All of this is context. ", count: 800)
            let plain = (0..<160).map { #"{"prompt":"Tell me about the number \#($0 % 130)."}"# }
            let cached = (0..<20).map { index in
                let ttl = index % 2 == 0 ? "" : #","ttl":"1h""#
                return
                    #"{"request":{"max_tokens":40,"system":[{"type":"text","text":"\#(long)\#(index % 2)","#
                    + #""cache_control":{"type":"ephemeral"\#(ttl)}}],"messages":[{"role":"user","content":"Go on \#(index)."}]}}"#
            }
            return Array((plain + cached).joined(separator: "\n").utf8)
        }
    }
}

extension String {
    fileprivate func padded(to bytes: Int) -> String {
        let text = String(prefix(bytes))
        return text + String(repeating: ".", count: max(0, bytes - text.utf8.count))
    }
}

/// The budget as the server tells it, in nano-dollars.
private struct BudgetPage {
    struct Look: CustomStringConvertible {
        var settled, reserved, unconfirmedCost: Int64

        var sum: Int64 { settled + reserved + unconfirmedCost }
        var description: String { "settled \(settled), reserved \(reserved), unconfirmed \(unconfirmedCost)" }
    }

    let server: Server

    init(_ server: Server) { self.server = server }

    func look() async throws -> Look {
        let budget = try await server.client.get("/v1/budgets")["data"]?.elements?.first
        func amount(_ name: String) -> Int64 {
            budget?[name]?.string.flatMap(Money.init(dollars:))?.nanodollars ?? 0
        }
        return Look(
            settled: amount("settled_usd"), reserved: amount("reserved_usd"),
            unconfirmedCost: amount("unconfirmed_cost_usd"))
    }

    /// Waits until nothing is reserved and less than this is left of a cent.
    func spent(beneath left: Int64) async throws -> Look {
        var look = try await look()
        try await eventually("the budget is spent", within: .seconds(60), every: .milliseconds(50)) {
            look = try await self.look()
            return look.reserved == 0 && 10_000_000 - look.sum < left
        }
        return look
    }
}
