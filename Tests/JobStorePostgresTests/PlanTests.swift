import Jobs
import Postgres
import StoreRules
import TestPostgres
import TestSupport
import Testing

@testable import JobStorePostgres
@testable import StoreConformance

/// Statistics, lists and results beside many rows read what they show, and no big table: by the server's own counts.
@Suite(.onThread, .serialized) struct PlanTests {
    private static let copies = 20_000
    private static let big = ["job", "waiting", "ended", "answer", "attempt", "job_tag"]

    /// A queue with so many jobs queued and as many ended, half of those failed, all in one batch and under one tag.
    private final class Crowd {
        let settings: ConnectionSettings
        let batch: BatchID

        init() async throws {
            let server = try TestPostgres.shared()
            settings = try ConnectionSettings(
                url: server.url(database: server.makeDatabase()), from: .environment)
            let store = try await PostgresJobStore(settings)
            try await store.configure(
                route: Sample.route,
                limits: RouteLimits(requests: 1_000_000, inputTokens: 100_000_000, outputTokens: 100_000_000))
            let worker = try await store.register(NewWorker(name: "w", host: "h", processID: 1, slots: 9))
            batch = try await store.createBatch(name: "b", metadata: nil).id
            let batch = batch
            for number in 0..<3 {
                let job = try Sample.job("template \(number)") { job in
                    job.batch = batch
                    job.tags = ["t"]
                }
                _ = try await store.enqueue([job], atomically: false)
                if number == 2 { break }
                let claim = try await store.claim(
                    ClaimRequest(
                        worker: worker, slots: 1, running: 0, lease: 30_000, services: [Sample.service]))
                for attempt in claim.attempts {
                    var settlement = Sample.success(attempt.key, "positive")
                    if number == 1 {
                        settlement = Settlement(
                            key: attempt.key,
                            verdict: .failed(
                                JobError(type: "invalid_request_error", message: "no", retryable: false)),
                            routeEvent: .neutral)
                    }
                    _ = try await store.settle(settlement)
                }
            }
            // Beside a worker that lives, queued jobs are shown with a forecast, which counts up to ten thousand that go before.
            try await store.unregister(worker)
            await store.close()
            let connection = try Connection.open(settings)
            for table in ["job", "waiting", "ended", "answer", "attempt", "job_tag"] {
                try connection.execute(
                    script: Self.multiply(table), limits: TripLimits(milliseconds: 300_000))
            }
            try connection.execute(
                script: """
                    UPDATE lane_tally_part SET jobs = jobs * \(PlanTests.copies);
                    UPDATE batch_tally_part SET jobs = jobs * \(PlanTests.copies);
                    """)
            try connection.execute(script: "VACUUM ANALYZE", limits: TripLimits(milliseconds: 300_000))
        }

        /// Each row once for each number; its own number grows by it.
        private static func multiply(_ table: String) -> String {
            let key = ["job": "id", "answer": "id"][table] ?? "job_id"
            let order = table == "ended" ? ", 'finish_order', finish_order + step" : ""
            return """
                INSERT INTO \(table)
                SELECT copy.*
                FROM (SELECT row AS old, row.* FROM \(table) AS row) AS row
                CROSS JOIN generate_series(1, \(PlanTests.copies - 1)) AS series (step)
                CROSS JOIN LATERAL jsonb_populate_record(old, jsonb_build_object('\(key)', \(key) + step * 8\(order))) AS copy
                """
        }

        /// What the server counts of the big tables while the closure works, on connections of its own.
        func reads(
            _ body: (PostgresJobStore) async throws -> Void
        ) async throws -> (scans: [String: Int64], rows: Int64) {
            let before = try await counts()
            let store = try await PostgresJobStore(settings)
            do {
                try await body(store)
            } catch {
                await store.close()
                throw error
            }
            await store.close()
            let after = try await counts()
            var scans: [String: Int64] = [:]
            var rows: Int64 = 0
            for (table, count) in after {
                let old = before[table] ?? (0, 0)
                if count.scans > old.scans { scans[table] = count.scans - old.scans }
                rows += count.rows - old.rows
            }
            return (scans, rows)
        }

        /// A server process hands in its counts when it ends.
        private func counts() async throws -> [String: (scans: Int64, rows: Int64)] {
            let connection = try Connection.open(settings)
            let others = Call(
                Statement(
                    "test-others",
                    assembled: """
                        SELECT count(*) FROM pg_stat_activity
                        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
                        """))
            for _ in 0..<1_000 where try connection.run([others])[0][0].int64(0) > 0 {
                try await Task.sleep(for: .milliseconds(10))
            }
            let counts = Call(
                Statement(
                    "test-counts",
                    assembled: """
                        SELECT relname::text, seq_scan, seq_tup_read + coalesce(idx_tup_fetch, 0),
                            (SELECT sum(idx_tup_read)::bigint FROM pg_stat_user_indexes AS used WHERE used.relid = stat.relid)
                        FROM pg_stat_user_tables AS stat
                        WHERE relname = ANY ($1::text[])
                        """, [.texts]), [.textArray(PlanTests.big)])
            var found: [String: (scans: Int64, rows: Int64)] = [:]
            for row in try connection.run([counts])[0] {
                let rows = max(try row.int64(2), try row.int64OrNil(3) ?? 0)
                found[try row.text(0)] = (try row.int64(1), rows)
            }
            return found
        }
    }

    private static func check(
        _ found: (scans: [String: Int64], rows: Int64), calls: Int, _ what: String
    ) {
        #expect(found.scans.isEmpty, "\(what): \(found.scans)")
        // A look of a search with several ways meets two thousand entries, and looks each up in some tables.
        #expect(found.rows < Int64(calls) * 12_000, "\(what): \(found.rows) rows by \(calls) calls")
    }

    @Test func `Nothing that is shown is read by a scan`() async throws {
        let crowd = try await Crowd()
        let total = try await {
            let store = try await PostgresJobStore(crowd.settings)
            let counts = try await store.stats().counts
            await store.close()
            return counts
        }()
        #expect(total.queued == Self.copies && total.succeeded == Self.copies && total.failed == Self.copies)

        let idle = try await crowd.reads { _ in }
        Self.check(idle, calls: 1, "a start")
        let stats = try await crowd.reads { store in
            for _ in 0..<3 { _ = try await store.stats() }
            for axis in SpendAxis.allCases { _ = try await store.spend(by: axis, days: 31) }
            _ = try await (store.queues(), store.routes(), store.checkReady())
        }
        // A forecast counts the ready jobs of a lane up to ten thousand: three times for all, and once for routes.
        Self.check(stats, calls: 4, "statistics")

        for filter in filters(crowd.batch) {
            let found = try await crowd.reads { store in
                let first = try await store.jobs(filter, before: nil, limit: 50, bodies: [])
                #expect(first.count == (filter.customID == nil ? 50 : 0), "\(filter)")
                _ = try await store.jobs(
                    filter, before: first.last?.id, limit: 50, bodies: [.request, .response])
            }
            Self.check(found, calls: 2, "\(filter)")
        }
        for source in [ResultsQuery.Source.all, .batch(crowd.batch), .queue("default")] {
            let found = try await crowd.reads { store in
                let first = try await store.results(ResultsQuery(source: source), after: -1, limit: 50)
                #expect(first.count == 50)
                let cursor = (first.last?.cursor ?? 0) + Int64(Self.copies / 2)
                _ = try await store.results(ResultsQuery(source: source), after: cursor, limit: 50)
            }
            Self.check(found, calls: 2, "\(source)")
        }
    }

    private func filters(_ batch: BatchID) -> [JobFilter] {
        [
            JobFilter(), JobFilter(queue: "default"), JobFilter(model: Sample.model), JobFilter(batch: batch),
            JobFilter(tag: "t"), JobFilter(customID: "k"), JobFilter(errorType: "invalid_request_error"),
            JobFilter(state: .queued), JobFilter(state: .succeeded), JobFilter(state: .failed, batch: batch),
            JobFilter(state: .queued, queue: "default", tag: "t"),
            JobFilter(state: .succeeded, model: Sample.model),
        ]
    }
}
