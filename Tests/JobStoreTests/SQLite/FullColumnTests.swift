import JobStoreSQLite
import Jobs
import SQLite
import Testing

@testable import StoreConformance

@Suite struct FullColumnTests {
    /// Without the audit, which would find what is put into the rows here.
    @Test func `columns of money that are full stay full, and settling and looking go on`() async throws {
        let directory = try TemporaryDirectory()
        let store = try await SQLiteDatabase(directory).openFile()
        let worker = try await store.register(NewWorker(name: "bench", host: "here", processID: 1, slots: 5))
        try await store.configure(route: Sample.route, limits: RouteLimits(requests: 1_000_000))
        let jobs = try (0..<3).map { try Sample.job("full \($0)") { $0.tags = ["t"] } }
        _ = try await store.enqueue(jobs, atomically: false)
        var settled = 0
        while let attempt = try await store.claim(
            ClaimRequest(worker: worker, slots: 1, running: 0, lease: 30_000, services: [Sample.service])
        ).attempts.first {
            #expect(try await store.settle(Sample.success(attempt.key)) == .settled(.succeeded))
            settled += 1
            let rows = try Connection(path: directory.database)
            for table in ["spend", "spend_tag"] {
                _ = try rows.run(
                    SQL("UPDATE \(table) SET cost = 9223372036854775807, saved = 9223372036854775806"))
            }
        }
        #expect(settled == jobs.count)
        for axis in SpendAxis.allCases {
            let shares = try await store.spend(by: axis, days: 3)
            #expect(shares.count == 1 && shares.first?.cost.nanodollars == .max, "\(axis)")
        }
        #expect(try await store.stats().spend.first?.cost.nanodollars == .max)
        await store.close()
    }
}
