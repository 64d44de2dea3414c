import Testing

extension Proofs {
    /// What a worker and a server need does not grow with what they have done.
    @Suite struct Memory {
        @Test func `A worker and a server need no more memory after many jobs than after some`() async throws
        {
            try await Scenario.run { scenario in
                let simulator = try await scenario.simulator()
                let server = try await scenario.serve(simulator)
                let worker = try scenario.work(simulator, ["RENGA_CONCURRENCY": "64"])
                let record = scenario.record
                // A tenth of the whole at a time: the first tenths fill caches and pools, which stay.
                let portion = Form.pick(short: 400, long: 100_000)
                var memory: [(worker: Int, server: Int)] = []
                for tenth in 0..<10 {
                    for part in 0..<4 {
                        _ = try await server.enqueue(portion / 4, as: "\(tenth)-\(part)") {
                            "Say \(tenth), \(part), \($0)."
                        }
                    }
                    try await eventually("a tenth is done", within: .seconds(600), every: .milliseconds(100))
                    {
                        try await record.waiting() == 0
                    }
                    memory.append((try worker.residentBytes(), try server.child.residentBytes()))
                }
                func list(_ bytes: [Int]) -> String { bytes.map { "\($0 >> 20)" }.joined(separator: ", ") }
                Figures.print(
                    "memory",
                    [
                        "jobs": "\(10 * portion)",
                        "worker after each tenth, MiB": list(memory.map(\.worker)),
                        "server after each tenth, MiB": list(memory.map(\.server)),
                    ])
                for (name, bytes) in [("worker", memory.map(\.worker)), ("server", memory.map(\.server))] {
                    // Flat from the middle on, but for a page here and there.
                    let grown = bytes[9] - bytes[4]
                    try demand(
                        grown < 8 << 20, "the \(name) grew by \(grown >> 20) MiB in its second half: \(bytes)"
                    )
                }
            }
        }
    }
}
