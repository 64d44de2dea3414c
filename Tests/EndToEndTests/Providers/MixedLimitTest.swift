import JSON
import Testing

extension Proofs {
    /// Three limits at once, prompts of 50 to 5,000 tokens: used almost fully, and never met.
    @Suite struct MixedLimits {
        private static let limits = ["rpm": "600", "itpm": "100000", "otpm": "20000"]
        private static let inputBinds = Bottleneck(tokens: "input_tokens", perMinute: 100_000, answer: 60)
        private static let outputBinds = Bottleneck(tokens: "output_tokens", perMinute: 20_000, answer: 400)

        /// The limit that such prompts and answers meet first.
        private struct Bottleneck {
            let tokens: String
            let perMinute: Int
            /// Usual length of an answer.
            let answer: Int
        }

        @Test func `Eight workers use the limit that binds almost fully and meet none`() async throws {
            try await prove("5 mixed prompts, limits stated", Self.inputBinds, areStated: true, refusals: 0)
        }

        @Test func `Where answers are long the output limit binds, and is used as fully`() async throws {
            try await prove("5 long answers, limits stated", Self.outputBinds, areStated: true, refusals: 0)
        }

        @Test func `Limits that nobody stated are learned at once, and hardly met`() async throws {
            try await prove(
                "5 mixed prompts, limits learned", Self.inputBinds, areStated: false, refusals: 2)
        }

        private func prove(
            _ name: String, _ bottleneck: Bottleneck, areStated: Bool, refusals: Int
        ) async throws {
            try await Scenario.run { scenario in
                let seconds = Form.pick(short: areStated ? 20 : 8, long: 180)
                let options = Self.limits.merging([
                    "latency": "300ms", "answer-tokens": "\(bottleneck.answer)",
                ]) { $1 }
                let simulator = try await scenario.simulator(options)
                let settings =
                    areStated
                    ? ["RENGA_RPM": "600", "RENGA_ITPM": "100000", "RENGA_OTPM": "20000"] : [:]
                let server = try await scenario.serve(simulator, settings)
                try await server.enqueue(
                    Form.pick(short: 400, long: 1_500), maxTokens: bottleneck.answer * 5, prompt: Self.prompt)
                _ = try scenario.works(8, simulator, settings)
                try await eventually("the first call is made", every: .milliseconds(5)) {
                    try await simulator.calls() > 0
                }
                try await Task.sleep(for: .seconds(seconds))
                try await judge(
                    name, bottleneck, simulator, refusals: refusals, atLeast: areStated ? 0.95 : 0.9)
            }
        }

        /// From 50 to 5,000 tokens, each length as likely as twice that length.
        private static func prompt(_ number: Int) -> String {
            // Steps through the fractions of the golden section: spread evenly, in no order.
            let place = (Double(number) * 0.618_033_988_75).truncatingRemainder(dividingBy: 1)
            var words = 40.0
            for _ in 0..<Int(place * 46) { words *= 1.1 }
            return "\(number)" + String(repeating: " autumn", count: Int(words))
        }

        /// Judged at the arrival of the last call: then the limit was just enough for it, and what was allowed is known.
        private func judge(
            _ name: String, _ bottleneck: Bottleneck, _ simulator: Simulated, refusals: Int,
            atLeast least: Double
        ) async throws {
            let calls = try await simulator.client.get("/_sim/journal?limit=5000")["data"]?.elements ?? []
            let messages = calls.filter { $0["endpoint"]?.string == "messages" }
            let first = messages.first?.integer("arrived_ms") ?? 0
            let last = messages.last?.integer("arrived_ms") ?? 0
            let answered = messages.filter { $0["status"]?.int == 200 }
            let refused = messages.count { $0["status"]?.int == 429 }
            // A call that is still in flight has not told yet what it used: it is as long as the others.
            let known = answered.reduce(0) { $0 + $1.integer(bottleneck.tokens) }
            let inFlight = messages.count - answered.count - refused
            let used = known + inFlight * known / max(1, answered.count)
            let allowed = Double(bottleneck.perMinute) * (1 + Double(last - first) / 60_000)
            let share = Double(used) / allowed
            Figures.print(
                name,
                [
                    "seconds": (Double(last - first) / 1000).text(), "calls": "\(messages.count)",
                    "tokens": "\(used)", "allowed": "\(Int(allowed))",
                    "share": "\((share * 100).text()) %", "429": "\(refused)",
                ])
            try demand(refused <= refusals, "\(refused) calls met a 429")
            try demandPace(share >= least, "\(used) of \(Int(allowed)) allowed tokens were used")
        }
    }
}
