import JSON
import SQLite
import Testing

extension Proofs {
    /// Calendars that are set wrong, and right again.
    @Suite struct Clocks {
        private static let hour: Int64 = 3_600_000
        private static let day = 24 * hour
        /// $0.003, in nano-dollars.
        private static let limit: Int64 = 3_000_000
        /// 2026-11-20T23:30:00Z: half an hour before a day's budget ends.
        private static let start: Int64 = 1_795_217_400_000

        @Test
        func `A calendar that jumps by hours expires no lease, repeats no call and wakes nobody too late`()
            async throws
        {
            try await Scenario.run { scenario in
                let calendar = try Calendar(in: scenario.folder.path, at: Self.start)
                let simulator = try await scenario.simulator(["latency": "1s"], calendar: calendar)
                let settings = calendar.variables.merging(["RENGA_LEASE": "2s"]) { $1 }
                let server = try await scenario.serve(simulator, settings)
                _ = try scenario.works(2, simulator, settings)
                try await server.warmUp()
                try await server.enqueue(200)
                let late = try await server.client.post("/v1/jobs", #"{"prompt":"Later.","delay":"90m"}"#)
                let id = try #require(late.json?["id"]?.string)
                // Forth, back beyond the beginning, and forth again, while calls are in flight.
                for step in [1, -2, 1, 1, -1] {
                    try await eventually("calls are in flight") { try await simulator.inFlight() > 0 }
                    try calendar.advance(by: Int64(step) * Self.hour)
                    try await Task.sleep(for: .milliseconds(400))
                }
                try await eventually("the backlog is done", within: .seconds(60)) {
                    try await scenario.record.unfinished() == 1
                }
                try demand(try await simulator.calls() == 201, "a call was repeated")
                try demand(try await scenario.record.writtenOff() == 0, "a lease ran out")
                try calendar.advance(by: 3 * Self.hour / 2)
                try await eventually("the delayed job is done", within: .seconds(20)) {
                    try await server.client.get("/v1/jobs/\(id)")["state"]?.string == "succeeded"
                }
            }
        }

        @Test func `A day's budget is the day's, however the calendar comes to it`() async throws {
            try await Scenario.run { scenario in
                let calendar = try Calendar(in: scenario.folder.path, at: Self.start)
                let simulator = try await scenario.simulator(["latency": "20ms"], calendar: calendar)
                let settings = calendar.variables.merging(["RENGA_DAILY_BUDGET_USD": "0.003"]) { $1 }
                let server = try await scenario.serve(simulator, settings)
                _ = try scenario.works(2, simulator, settings)
                try await server.enqueue(300)
                // Over midnight, back into a day that is spent, and over the next two.
                var spentDays: Set<Int64> = []
                for step in [0, 1, -1, 1, 24, -24, 24, 24] {
                    try calendar.advance(by: Int64(step) * Self.hour)
                    let day = calendar.now / Self.day * Self.day
                    if spentDays.insert(day).inserted {
                        try await eventually("what the day allows is spent", within: .seconds(30)) {
                            let left = try await scenario.record.unfinished()
                            let spent = try await scenario.record.windows().first { $0.start == day }?.spent
                            return left == 0 || (spent ?? 0) > Self.limit * 9 / 10
                        }
                    } else {
                        // Longer than a worker sleeps at most: it looks, and finds the day spent.
                        try await Task.sleep(for: .seconds(6))
                    }
                    for window in try await scenario.record.windows() {
                        try demand(
                            window.spent <= Self.limit,
                            "\(window.spent) nano-dollars in the window of \(window.start)")
                    }
                }
                let windows = try await scenario.record.windows()
                let spent = windows.reduce(0) { $0 + $1.spent }
                Figures.print(
                    "a budget of $0.003 a day under a calendar that jumps",
                    ["windows": "\(windows.count)", "spent": "$\(Double(spent) / 1e9)"])
                try demand(windows.count == 4, "\(windows.count) windows")
                try demand(try await simulator.stats().integer("billed_duplicates") == 0, "paid twice")
            }
        }
    }
}

extension Record {
    fileprivate func writtenOff() async throws -> Int {
        try await number("SELECT count(*) FROM attempt WHERE status = 'written_off'")
    }

    fileprivate func readyAndNoneRunning() async throws -> Bool {
        try await number(
            """
            SELECT EXISTS (SELECT 1 FROM job WHERE ready = 1)
                AND NOT EXISTS (SELECT 1 FROM attempt WHERE status = 'open')
            """) > 0
    }

    fileprivate func windows() async throws -> [(start: Int64, spent: Int64)] {
        try await rows(
            "SELECT starts_at, settled + reserved + unconfirmed_cost FROM budget_window ORDER BY starts_at"
        ) { row in (row.int64(0), row.int64(1)) }
    }
}
