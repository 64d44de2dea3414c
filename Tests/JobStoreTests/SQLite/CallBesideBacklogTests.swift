import Jobs
import SQLite
import StoreRules
import Testing

@testable import JobStoreSQLite
@testable import StoreConformance

/// What a claim of a caller's own asks of the database while others wait.
@Suite struct CallBesideBacklogTests {
    private static let limits = [4_000, 1_000_000, 10_000_000]

    /// How many statements it takes to enter one call, beside so many jobs of a queue of this weight.
    private func statements(limit: Int, backlog: Int, weight: Int = 100) async throws -> Int {
        var statements = 0
        try await StoreHarness.run(.sqlite) { harness in
            try await harness.store.configure(
                route: Sample.route,
                limits: .init(requests: limit, inputTokens: limit * 1_000, outputTokens: limit * 1_000))
            try await harness.enqueue("first")
            try await harness.succeed(try await harness.claimOne())
            _ = try await harness.store.update(queue: "default", QueuePatch(weight: weight))
            for start in stride(from: 0, to: backlog, by: 500) {
                try await harness.enqueue(
                    try Sample.jobs(min(500, backlog - start), prefix: "waits \(start)"))
            }
            let server = try await harness.store.register(
                NewWorker(name: "server", host: "here", processID: 7, slots: 100, partition: .interactive))
            statements = try enter(server, harness)
        }
        return statements
    }

    private func enter(_ server: WorkerID, _ harness: StoreHarness) throws -> Int {
        let connection = try Connection(path: harness.file.directory.database, mode: .write)
        let operation = WriteContext(
            connection, now: harness.now, settings: StoreSettings(), options: SQLiteOptions())
        let request = ClaimRequest(
            worker: server, partition: .interactive, slots: 100, running: 0, lease: 30_000,
            services: [Sample.service])
        try connection.execute("BEGIN IMMEDIATE")
        _ = try Enqueue(operation, into: .interactive(server))
            .run([try Sample.job("a call", queue: "interactive")])
        let before = connection.uses
        #expect(try operation.claim(request).attempts.count == 1)
        let uses = connection.uses - before
        try operation.flush()
        try connection.execute("COMMIT")
        return uses
    }

    @Test(arguments: limits)
    func `a call asks no more beside a backlog, whatever the limit`(_ limit: Int) async throws {
        let alone = try await statements(limit: limit, backlog: 0)
        #expect(try await statements(limit: limit, backlog: 1) <= alone + 10)
        #expect(try await statements(limit: limit, backlog: 1_000) <= alone + 10)
    }

    @Test func `a heavy queue beside a light one costs no more than its shares`() async throws {
        let alone = try await statements(limit: 10_000_000, backlog: 0)
        let most = alone + 10 + ClaimLimits.leftShares / 8
        #expect(try await statements(limit: 10_000_000, backlog: 1_000, weight: 1_000) <= most)
    }
}
