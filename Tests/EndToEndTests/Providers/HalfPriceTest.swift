import Glibc
import JSON
import Jobs
import SQLite
import System
import Testing

extension Proofs {
    /// The provider's own batches, over days that pass in minutes.
    @Suite struct HalfPrice {
        private static let hour: Int64 = 3_600_000
        private static let reserve: Int64 = 900_000
        private static let gather: Int64 = 60_000
        /// 2026-11-20T09:00:00Z.
        private static let start: Int64 = 1_795_165_200_000

        @Test(.enabled(if: Engine.all.contains(.sqlite)))
        func `Jobs with time go at half the price, in time, and none is paid twice but for a death`()
            async throws
        {
            try await Scenario.run { scenario in
                let count = Form.pick(short: 500, long: 5_000)
                let longest = Form.pick(short: Int64(8), long: 48) * Self.hour
                let calendar = try Calendar(in: scenario.folder.path, at: Self.start)
                let simulator = try await scenario.simulator(
                    [
                        "batch-turnaround": Form.pick(short: "10m..100m", long: "10m..20h"),
                        "batch-window": Form.pick(short: "2h", long: "24h"), "batch-stuck": "0.03",
                        "batch-cancel-time": "30s", "batch-rpm": "0",
                        "batch-faults": "create=drop-after:#1,results=truncate:#2", "latency": "5ms",
                    ], calendar: calendar)
                let settings = calendar.variables.merging(["RENGA_BATCH_POLL": "100ms"]) { $1 }
                let server = try await scenario.serve(simulator, settings)
                let workers = try scenario.works(2, simulator, settings)
                let deadlines = (0..<count).map {
                    Self.start + Self.hour + (longest - Self.hour) * Int64($0) / Int64(count)
                }
                try await enqueue(deadlines, into: server)
                let middle = Self.start + 2 * Self.hour
                try await pass(calendar, until: middle, scenario.record)
                for worker in workers { await worker.killAndWait() }
                _ = try scenario.works(2, simulator, settings)
                try await pass(calendar, until: deadlines[count - 1], scenario.record)
                try await check(
                    deadlines, leastTime: 2 * Self.reserve + Self.gather, simulator, server, scenario.record)
            }
        }

        /// The clock is the database server's, which nobody turns: hours are seconds.
        @Test(.enabled(if: Engine.all.contains(.postgres)))
        func `On a database server too`() async throws {
            try await Scenario.run(on: .postgres) { scenario in
                let count = Form.pick(short: 300, long: 3_000)
                let (margin, linger) = (Int64(5_000), Int64(1_000))
                let simulator = try await scenario.simulator([
                    "batch-turnaround": "500ms..6s", "batch-window": "9s", "batch-stuck": "0.03",
                    "batch-cancel-time": "300ms", "batch-rpm": "0",
                    "batch-faults": "create=drop-after:#1,results=truncate:#2", "latency": "5ms",
                ])
                let settings = [
                    "RENGA_BATCH_POLL": "100ms", "RENGA_BATCH_DEADLINE_MARGIN": "5s",
                    "RENGA_BATCH_LINGER": "1s", "RENGA_LEASE": "2s",
                ]
                let server = try await scenario.serve(simulator, settings)
                let workers = try scenario.works(2, simulator, settings)
                let first = SystemClock().timestampMilliseconds() + 8_000
                let longest = Form.pick(short: Int64(20_000), long: 120_000)
                let deadlines = (0..<count).map { first + longest * Int64($0) / Int64(count) }
                try await enqueue(deadlines, into: server)
                try await Task.sleep(for: .seconds(3))
                for worker in workers { await worker.killAndWait() }
                _ = try scenario.works(2, simulator, settings)
                try await scenario.allFinished(within: .milliseconds(longest + 10_000))
                try await check(
                    deadlines, leastTime: 2 * margin + linger, simulator, server, scenario.record)
            }
        }

        private func enqueue(_ deadlines: [Int64], into server: Server) async throws {
            var lines: [UInt8] = []
            for (index, deadline) in deadlines.enumerated() {
                var json = JSONWriter()
                json.object { line in
                    line.field("custom_id", "job-\(index)")
                    line.field("prompt", "Say the number \(index).")
                    line.field("max_tokens", 32)
                    line.field("deadline", Timestamp(milliseconds: deadline).text)
                }
                lines += json.bytes + [UInt8(ascii: "\n")]
            }
            let answer = try await server.client.call(
                "POST", "/v1/jobs/bulk", lines, headers: [("content-type", "application/x-ndjson")])
            let ids = answer.lines.compactMap { $0["id"]?.string }
            try demand(ids.count == deadlines.count, "\(answer.status) \(answer.text.prefix(500))")
        }

        /// Turns the calendar: fast while everybody waits for the provider, slowly while somebody has something to do.
        private func pass(
            _ calendar: Calendar, until end: Int64, _ record: Record
        ) async throws {
            while calendar.now < end, try await record.unfinished() > 0 {
                try calendar.advance(by: try await record.isBusy(at: calendar.now) ? 500 : 30_000)
                try await Task.sleep(for: .milliseconds(25))
            }
        }

        private func check(
            _ deadlines: [Int64], leastTime: Int64, _ simulator: Simulated, _ server: Server, _ record: Record
        ) async throws {
            let fates = try await record.jobs()
            let late = zip(fates, deadlines).count { status, deadline in
                status.state != "succeeded" || (status.finishedAt ?? .max) > deadline
            }
            let stats = try await simulator.stats()
            let calls = stats.integer("calls")
            let rows = stats["batches"]?.integer("billed_rows") ?? 0
            // Who was called by itself had been waited for until there was no time for a batch any more.
            let early = try await record.calledEarly(leastTime: leastTime)
            // Whose caller was killed in the midst of a call of its own is called once more.
            let lost = try await record.lost()
            let twice = stats.integer("billed_duplicates")
            let spend = try await server.client.get("/v1/stats?by=model")["spend_by"]?["model"]?
                .elements?.first
            Figures.print(
                "\(deadlines.count) jobs with deadlines",
                [
                    "at half the price": "\(rows)", "called by themselves": "\(calls)", "late": "\(late)",
                    "paid twice": "\(twice)", "calls in flight at a kill": "\(lost)",
                    "batches": "\(stats["batches"]?.integer("created") ?? 0)",
                    "rows expired": "\(stats["batches"]?.integer("expired") ?? 0)",
                    "called too early": "\(early)",
                    "spent": "$\(spend?["cost_usd"]?.string ?? "")",
                    "of it in batches": "$\(spend?["batch_cost_usd"]?.string ?? "")",
                    "at the whole price": "$\(spend?["batch_whole_price_usd"]?.string ?? "")",
                ])
            try demand(late == 0, "\(late) were late")
            try demand(twice <= lost, "\(twice) were paid twice, \(lost) calls were in flight at a kill")
            let needed = deadlines.count...deadlines.count + lost
            try demand(needed.contains(rows + calls), "\(rows) rows and \(calls) calls")
            try demand(early == 0, "\(early) were called though they had time")
            try demand(spend?.integer("batch_calls") == rows, "the spend tells of other batches")
        }
    }
}

extension Record {
    /// Whether somebody else than the provider has something to do, or had if he were there.
    fileprivate func isBusy(at time: Int64) async throws -> Bool {
        try await number(
            """
            SELECT EXISTS (
                    SELECT 1 FROM job JOIN lane ON lane.id = job.lane_id
                    WHERE job.ready = 1 AND lane.kind = 'common' AND lane.sealed = 0
                )
                OR EXISTS (SELECT 1 FROM attempt WHERE status = 'open' AND provider_batch_id IS NULL)
                OR EXISTS (
                    SELECT 1 FROM provider_batch
                    WHERE ended_at IS NULL AND (state <> 'away' OR recall_at <= ?1)
                )
            """, [.integer(time)]) > 0
    }

    /// Calls whose worker died.
    fileprivate func lost() async throws -> Int {
        try await number(
            "SELECT count(*) FROM attempt WHERE verdict = 'lease_lost' AND provider_batch_id IS NULL")
    }

    /// Calls that were made for jobs with more time left than that.
    fileprivate func calledEarly(leastTime: Int64) async throws -> Int {
        try await number(
            """
            SELECT count(*)
            FROM attempt JOIN job ON job.id = attempt.job_id
            WHERE attempt.provider_batch_id IS NULL AND job.deadline - attempt.opened_at > ?1
            """, [.integer(leastTime)])
    }
}
