import Jobs
import SQLite
import StoreRules
import TestSupport
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
            let batch = try await uploads.beginUpload()
            let request = BatchRequest(customID: "r", job: try tagged("upload"))
            _ = try await uploads.upload([request], to: batch)
            let server = try await harness.store.register(
                NewWorker(name: "server", host: "here", processID: 7, slots: 9, partition: .interactive))
            let own = ClaimRequest(
                worker: server, partition: .interactive, slots: 0, running: 0, lease: 30_000,
                services: [Sample.service])
            _ = try await harness.store.enqueueAndClaim([try tagged("call")], claiming: own)

            for isThere in [true, false] {
                if isThere {
                    try await harness.store.configure(budgets: [Self.gold])
                } else {
                    #expect(try await harness.store.remove(budget: "gold"))
                }
                try harness.audit()
                #expect(try await harness.claim().isEmpty)
                let places = """
                    SELECT count(*) FROM job JOIN lane ON lane.id = job.lane_id
                    WHERE job.state = 'queued' AND lane.budget = '\(isThere ? "gold" : "")' AND
                    """
                #expect(try harness.rows(places + " kind = 'half_price'") == [1])
                #expect(try harness.rows(places + " kind = 'interactive' AND owner = \(server.value)") == [1])
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
            try await store.write() { operation in
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
                    "SELECT count(*) FROM attempt WHERE status = 'open' AND budget_windows IS NULL")
                    == [0])
            var portions = 0
            while try await harness.store.reap().more { portions += 1 }
            #expect(portions >= 4)
            #expect(try harness.rows(unmoved) == [0])
            try harness.audit()
        }
    }

    @Test func `a finished job moves when it is retried`() async throws {
        try await StoreHarness.run(.sqlite) { harness in
            let ids = try await harness.enqueue([try tagged("one")])
            try await harness.meet(Sample.refusal(400), try await harness.claimOne())
            try await harness.store.configure(budgets: [Self.gold])
            _ = try await harness.store.retry(ids[0], change: RetryChange())
            try harness.audit()
            _ = try await harness.claimOne()
            #expect(
                try harness.rows(
                    "SELECT count(*) FROM attempt WHERE status = 'open' AND budget_windows IS NULL")
                    == [0])
        }
    }
}
