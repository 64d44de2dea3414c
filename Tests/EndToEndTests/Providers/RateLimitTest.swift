import Testing

extension Proofs {
    /// All that is allowed, and not one call more.
    @Suite struct RateLimit {
        @Test func `Six workers use a limit almost fully and never meet it`() async throws {
            try await prove("5 six workers, 600 rpm", isKilled: false, on: .sqlite)
        }

        @Test(arguments: Engine.all) func `The limit is kept although everything is killed and started again`(
            on engine: Engine
        ) async throws {
            try await prove("5 the same, killed in the middle", isKilled: true, on: engine)
        }

        private static let perMinute = 600

        private func prove(_ name: String, isKilled: Bool, on engine: Engine) async throws {
            try await Scenario.run(on: engine) { scenario in
                let window = Form.pick(short: 12, long: 60)
                let simulator = try await scenario.simulator(
                    ["latency": "150ms", "rpm": "\(Self.perMinute)", "answer-tokens": "8"])
                let settings = ["RENGA_RPM": "\(Self.perMinute)", "RENGA_LEASE": "3s"]
                let allowed = Self.perMinute + Self.perMinute * window / 60
                var server = try await scenario.serve(simulator, settings)
                try await server.enqueue(allowed * 3 / 2)
                var workers = try scenario.works(6, simulator, settings)
                try await eventually("the first call is made", every: .milliseconds(5)) {
                    try await simulator.calls() > 0
                }
                let start = ContinuousClock.now
                if isKilled {
                    try await Task.sleep(until: start + .seconds(window / 2))
                    for child in workers + [server.child] { await child.killAndWait() }
                    server = try await scenario.serve(simulator, settings, port: server.port)
                    workers = try scenario.works(6, simulator, settings)
                }
                try await Task.sleep(until: start + .seconds(window) + .milliseconds(500))
                let journal = try await simulator.journal()
                let first = journal.first?.arrived ?? 0
                let made = journal.filter { $0.arrived <= first + window * 1000 }.count
                let refused = journal.filter { $0.status == 429 }.count
                let share = Double(made) / Double(allowed)
                Figures.print(
                    name,
                    [
                        "seconds": "\(window)", "calls allowed": "\(allowed)", "calls made": "\(made)",
                        "share": "\((share * 100).text()) %", "429": "\(refused)",
                    ])
                try demand(refused == 0, "\(refused) calls met a 429")
                try demandPace(share >= 0.95, "\(made) of \(allowed) allowed calls were made")
            }
        }
    }
}
