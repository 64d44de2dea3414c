import Testing

extension Proofs {
    /// Limits, overload and broken connections, one after the other: jobs wait, and hardly anybody is called.
    @Suite struct Trouble {
        @Test func `A provider in trouble is left alone, and taken up again soon after it has healed`()
            async throws
        {
            try await Scenario.run { scenario in
                let phase = Form.pick(short: 2, long: 60)
                let count = Form.pick(short: 1500, long: 6000)
                let simulator = try await scenario.simulator(["latency": "200ms", "latency-sigma": "0.1"])
                let server = try await scenario.serve(simulator)
                _ = try scenario.works(2, simulator, ["RENGA_CONCURRENCY": "20"])
                try await server.warmUp()
                try await server.enqueue(count)
                try await eventually("work is in full swing") { try await simulator.calls() >= 200 }
                try await Task.sleep(for: .seconds(Form.pick(short: 1, long: 5)))
                let before = try await simulator.journal()
                let normal = Rate.most(in: before)
                let end = phase * 3
                try await simulator.change([
                    "outage":
                        "0s+\(phase)s:429,\(phase)s+\(phase)s:529,\(2 * phase)s+\(phase)s:reset"
                ])
                try await scenario.allFinished(within: .seconds(end + 90))

                let journal = try await simulator.journal()
                let struck = journal.filter { $0.fault != nil }
                guard let first = struck.first?.arrived else { throw Disappointment("nobody was struck") }
                let healed = first + end * 1000
                // What was on its way or claimed when each trouble began is not yet an answer to it.
                let inFlight = 3 * 40
                let during = struck.count
                let share = Double(during) / Double(normal * end)
                let full = Rate.first(after: healed, in: journal, atLeast: normal * 8 / 10)
                let (failed, blamed) = (
                    try await scenario.record.count(of: "failed"), try await scenario.record.blamed()
                )
                Figures.print(
                    "429, 529, resets, healing",
                    [
                        "seconds of each": "\(phase)", "jobs": "\(count)", "failed": "\(failed)",
                        "attempts blamed": "\(blamed)", "calls a second before": "\(normal)",
                        "calls that met it": "\(during)",
                        "share of the normal rate": "\((share * 100).text(2)) %",
                        "full rate again after": full.map { "\(Double($0 - healed) / 1000) s" } ?? "never",
                    ])
                try demand(failed == 0, "\(failed) jobs failed")
                try demand(blamed <= inFlight, "\(blamed) attempts were blamed")
                let allowed = Double(normal * end) * 0.02 + Double(Form.isLong ? 0 : inFlight)
                try demand(Double(during) < allowed, "\(during) calls were made meanwhile")
                guard let full else { throw Disappointment("the full rate never came back") }
                // The promise is ten seconds; where everything shares two busy cores a short run gets twice that.
                let patience: Int64 = Form.pick(short: 20_000, long: 10_000)
                try demandPace(full - healed <= patience, "the full rate came after \(full - healed) ms")
            }
        }
    }
}

/// Calls a second, read from a journal.
private enum Rate {
    static func most(in journal: [Simulated.Call]) -> Int {
        Dictionary(grouping: journal) { $0.arrived / 1000 }.values.map(\.count).max() ?? 0
    }

    /// When the first second began that had so many calls.
    static func first(after: Int, in journal: [Simulated.Call], atLeast count: Int) -> Int? {
        let arrivals = journal.map(\.arrived).filter { $0 >= after }
        return arrivals.indices.first { index in
            arrivals.indices.contains(index + count - 1)
                && arrivals[index + count - 1] - arrivals[index] <= 1000
        }.map { arrivals[$0] }
    }
}
