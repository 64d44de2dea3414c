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
        try await Bench.run(.sqlite) { bench in
            try await bench.warmUp()
            try await bench.enqueue([try tagged("half") { $0.isHalfPrice = true }])
            let uploads = try #require(bench.store as? any MessageBatchStore)
            let batch = try await uploads.beginUpload(now: bench.now)
            let request = BatchRequest(customID: "r", job: try tagged("upload"))
            _ = try await uploads.upload([request], to: batch, now: bench.now)
            let server = try await bench.store.register(
                NewWorker(name: "server", host: "here", processID: 7, slots: 9, line: .own), now: bench.now)
            let own = ClaimRequest(
                worker: server, line: .own, slots: 0, running: 0, lease: 30_000, services: [Sample.service])
            _ = try await bench.store.enter([try tagged("call")], claiming: own, now: bench.now)

            for isThere in [true, false] {
                if isThere {
                    try await bench.store.configure(budgets: [Self.gold], now: bench.now)
                } else {
                    #expect(try await bench.store.remove(budget: "gold", now: bench.now))
                }
                try bench.audit()
                #expect(try await bench.claim().isEmpty)
                let places = """
                    SELECT count(*) FROM job JOIN lane ON lane.id = job.lane_id
                    WHERE job.state = 'queued' AND lane.budget = '\(isThere ? "gold" : "")' AND
                    """
                #expect(try bench.rows(places + " kind = 'half_price'") == [1])
                #expect(try bench.rows(places + " kind = 'own' AND owner = \(server.value)") == [1])
                #expect(try bench.rows(places + " sealed = 1 AND lane.batch_id = \(batch.value)") == [1])
            }
        }
    }

    @Test func `many move in portions, and none is called past its budget meanwhile`() async throws {
        try await Bench.run(.sqlite) { bench in
            try await bench.warmUp()
            for part in 0..<3 {
                try await bench.enqueue(try (0..<300).map { try tagged("\(part) \($0)") })
            }
            // The process that stated the budget dies before the first portion.
            let store = try #require(bench.store as? SQLiteJobStore)
            try await store.write(now: bench.now) { operation in
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
            #expect(try bench.rows(unmoved) == [900])
            let attempts = try await bench.claim(5)
            #expect(attempts.count <= 5)
            #expect(
                try bench.rows("SELECT count(*) FROM attempt WHERE fate = 'open' AND budget_windows IS NULL")
                    == [0])
            var portions = 0
            while try await bench.store.reap(now: bench.now).more { portions += 1 }
            #expect(portions >= 4)
            #expect(try bench.rows(unmoved) == [0])
            try bench.audit()
        }
    }

    @Test func `a finished job moves when it is retried`() async throws {
        try await Bench.run(.sqlite) { bench in
            let ids = try await bench.enqueue([try tagged("one")])
            try await bench.meet(Sample.refusal(400), try await bench.claimOne())
            try await bench.store.configure(budgets: [Self.gold], now: bench.now)
            _ = try await bench.store.retry(ids[0], change: RetryChange(), now: bench.now)
            try bench.audit()
            _ = try await bench.claimOne()
            #expect(
                try bench.rows("SELECT count(*) FROM attempt WHERE fate = 'open' AND budget_windows IS NULL")
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
