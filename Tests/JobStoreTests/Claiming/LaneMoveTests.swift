import Jobs
import Migrations
import SQLite
import Testing

@testable import JobStoreSQLite

/// Jobs whose tags get a budget, or lose it, while they wait.
@Suite struct LaneMoveTests {
    private static let gold = Budget(
        name: "gold", scope: .tag("gold"), window: .total, limit: Money(dollars: "1") ?? .zero)

    private func tagged(_ text: String, change: (inout NewJob) -> Void = { _ in }) throws -> NewJob {
        try Sample.job(text) { job in
            job.tags = ["gold"]
            change(&job)
        }
    }

    @Test func `each keeps its place, whatever budgets come and go`() async throws {
        try await StoreHarness.run(.sqlite) { harness in
            try await harness.warmUp()
            try await harness.enqueue([try tagged("half") { $0.isHalfPrice = true }])
            let uploads = try #require(harness.store as? any MessageBatchStore)
            let batch = try await uploads.beginUpload(now: harness.now)
            let request = BatchRequest(customID: "r", job: try tagged("upload"))
            _ = try await uploads.upload([request], to: batch, now: harness.now)
            let server = try await harness.store.register(
                NewWorker(name: "server", host: "here", processID: 7, slots: 9, line: .own), now: harness.now)
            let own = ClaimRequest(
                worker: server, line: .own, slots: 0, running: 0, lease: 30_000, services: [Sample.service])
            _ = try await harness.store.enqueueAndClaim([try tagged("call")], claiming: own, now: harness.now)

            for isThere in [true, false] {
                if isThere {
                    try await harness.store.configure(budgets: [Self.gold], now: harness.now)
                } else {
                    #expect(try await harness.store.remove(budget: "gold", now: harness.now))
                }
                try harness.audit()
                #expect(try await harness.claim().isEmpty)
                let places = """
                    SELECT count(*) FROM job JOIN lane ON lane.id = job.lane_id
                    WHERE job.state = 'queued' AND lane.budget = '\(isThere ? "gold" : "")' AND
                    """
                #expect(try harness.rows(places + " kind = 'half_price'") == [1])
                #expect(try harness.rows(places + " kind = 'own' AND owner = \(server.value)") == [1])
                #expect(try harness.rows(places + " sealed = 1 AND lane.batch_id = \(batch.value)") == [1])
            }
        }
    }

    @Test func `many move in portions, and none is called past its budget meanwhile`() async throws {
        try await StoreHarness.run(.sqlite) { harness in
            try await harness.warmUp()
            for part in 0..<3 {
                try await harness.enqueue(try (0..<300).map { try tagged("\(part) \($0)") })
            }
            // The process that stated the budget dies before the first portion.
            let store = try #require(harness.store as? SQLiteJobStore)
            try await store.write(now: harness.now) { operation in
                let before = try LaneBudget.load(operation.connection)
                _ = try operation.connection.run(
                    """
                    INSERT INTO budget (name, scope, subject, span, amount, alerts)
                    VALUES ('gold', 'tag', 'gold', 'total', 1000000000, '')
                    """)
                try LaneMoves.begin(from: before, operation)
            }
            let unmoved =
                "SELECT count(*) FROM job JOIN lane ON lane.id = job.lane_id WHERE ready = 1 AND budget = ''"
            #expect(try harness.rows(unmoved) == [900])
            let attempts = try await harness.claim(5)
            #expect(attempts.count <= 5)
            #expect(
                try harness.rows(
                    "SELECT count(*) FROM attempt WHERE fate = 'open' AND budget_windows IS NULL")
                    == [0])
            var portions = 0
            while try await harness.store.reap(now: harness.now).more { portions += 1 }
            #expect(portions >= 4)
            #expect(try harness.rows(unmoved) == [0])
            try harness.audit()
        }
    }

    @Test func `a finished job moves when it is retried`() async throws {
        try await StoreHarness.run(.sqlite) { harness in
            let ids = try await harness.enqueue([try tagged("one")])
            try await harness.meet(Sample.refusal(400), try await harness.claimOne())
            try await harness.store.configure(budgets: [Self.gold], now: harness.now)
            _ = try await harness.store.retry(ids[0], change: RetryChange(), now: harness.now)
            try harness.audit()
            _ = try await harness.claimOne()
            #expect(
                try harness.rows(
                    "SELECT count(*) FROM attempt WHERE fate = 'open' AND budget_windows IS NULL")
                    == [0])
        }
    }

    @Test func `lanes of an earlier schema become what their lines said`() throws {
        let directory = try TemporaryDirectory()
        let connection = try Connection(path: directory.database)
        for step in Migration.sqlite where step.version <= 10 {
            try connection.execute(String(decoding: step.sql, as: UTF8.self))
        }
        let batch = BatchID(1 << 40)
        try connection.execute(
            """
            INSERT INTO queue (id, name) VALUES (1, 'q');
            INSERT INTO route (id, provider, endpoint, model, credential, simulated) VALUES (1, 'p', 'e', 'm', 'c', 0);
            INSERT INTO batch (id, name, created_at) VALUES (\(batch.value), 'msg\(batch)', 0);
            INSERT INTO lane (id, queue_id, route_id, line, owner)
            VALUES (1, 1, 1, '', NULL), (2, 1, 1, ' half price', -1), (3, 1, 1, 'own 2', 7),
                (4, 1, 1, '\(batch)', 0), (5, 1, 1, '\(batch) half price', -1);
            """)
        let step = try #require(Migration.sqlite.first { $0.file.hasSuffix("lane_kinds.sql") })
        try connection.execute(String(decoding: step.sql, as: UTF8.self))
        let lanes = try connection.query(
            "SELECT kind, sealed, owner, batch_id IS NOT NULL FROM lane ORDER BY id"
        ) { row in
            "\(row.text(0)) \(row.int(1)) \(row.int64OrNil(2) ?? 0) \(row.int(3))"
        }
        #expect(
            lanes == ["common 0 0 0", "half_price 0 0 0", "own 0 7 0", "common 1 0 1", "half_price 0 0 1"])
    }
}
