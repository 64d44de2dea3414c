import Testing

extension Proofs {
    /// One worker is told to wait, and all do.
    @Suite struct RetryAfter {
        @Test func `A retry-after seen by one of three workers holds all until then`() async throws {
            try await Scenario.run { scenario in
                let simulator = try await scenario.simulator(
                    ["latency": "300ms", "faults": "429;retry-after=5:#100"])
                let server = try await scenario.serve(simulator)
                try await server.enqueue(1200)
                _ = try scenario.works(3, simulator, ["RENGA_CONCURRENCY": "20"])
                try await scenario.allFinished(within: .seconds(90))

                let journal = try await simulator.journal()
                guard let told = journal.first(where: { $0.status == 429 })?.finished else {
                    throw Disappointment("no call met the 429")
                }
                // The refusal travels, is settled and read by the other claims.
                let slack = Form.pick(short: 1000, long: 250)
                let between = journal.map(\.arrived).filter { $0 > told && $0 < told + 5000 }
                let early = between.filter { $0 > told + slack }.count
                let restart = journal.map(\.arrived).first { $0 >= told + 5000 } ?? 0
                let ramp = (0..<6).map { step in
                    journal.filter { ($0.arrived - restart) / 1000 == step && $0.arrived >= restart }.count
                }
                let verdicts = try await scenario.record.verdicts()
                let blamed = try await scenario.record.blamed()
                Figures.print(
                    "6 retry-after: 5",
                    [
                        "calls after the 429": "\(between.count)",
                        "the last of them": "\((between.max() ?? told) - told) ms",
                        "calls from \(slack) ms until retry-after": "\(early)",
                        "first call after": "\((Double(restart - told) / 1000).text(2)) s",
                        "calls by second from then": ramp.map(String.init).joined(separator: " "),
                        "attempts blamed": "\(blamed)",
                    ])
                try demand(early == 0, "\(early) calls came before retry-after had passed")
                try demand(blamed == 0, "\(blamed) attempts were blamed: \(verdicts)")
                try demand(ramp[0] < 40 && ramp[0] < ramp[3], "no ramp: \(ramp)")
                try demand(try await scenario.record.count(of: "succeeded") == 1200, "not all succeeded")
            }
        }
    }
}
