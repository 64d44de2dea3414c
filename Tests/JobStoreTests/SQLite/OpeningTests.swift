import Foundation
import JobStoreSQLite
import Jobs
import SQLite
import StoreAudit
import Testing

/// Opening, migrating, checking and copying a store.
@Suite struct OpeningTests {
    @Test(arguments: Backend.allCases)
    func `eight that open one new store at once all find it ready`(_ backend: Backend) async throws {
        let directory = try TemporaryDirectory()
        let created = try await withThrowingTaskGroup(of: JobID?.self) { group in
            for index in 0..<8 {
                group.addTask {
                    let store = try await backend.open(directory)
                    let job = try Sample.job("from \(index)")
                    let outcomes = try await store.enqueue([job], atomically: true)
                    await store.close()
                    return outcomes.first?.id
                }
            }
            return try await group.reduce(into: Set<JobID>()) { ids, id in if let id { ids.insert(id) } }
        }
        #expect(created.count == 8)
        let store = try await backend.open(directory)
        #expect(try await store.stats().counts.queued == 8)
        await store.close()
        #expect(try backend.audit(directory).violations().isEmpty)
    }

    @Test(arguments: Backend.allCases)
    func `what was acknowledged is there after closing and opening`(_ backend: Backend) async throws {
        let directory = try TemporaryDirectory()
        let first = try await backend.open(directory)
        let ids = try await first.enqueue(try Sample.jobs(3), atomically: true).compactMap(\.id)
        await first.close()
        let second = try await backend.open(directory)
        #expect(try await second.states(of: ids).count == 3)
        await second.close()
    }

    @Test(arguments: Backend.allCases)
    func `a closed store says so`(_ backend: Backend) async throws {
        let directory = try TemporaryDirectory()
        let store = try await backend.open(directory)
        await store.close()
        let written = await #expect(throws: JobStoreError.self) {
            _ = try await store.createBatch(name: "b", metadata: nil)
        }
        #expect(written?.code == .closed)
        let read = await #expect(throws: JobStoreError.self) { _ = try await store.queues() }
        #expect(read?.code == .closed)
    }

    @Test(arguments: Backend.allCases)
    func `a store that is ready says what it is`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let facts = try await harness.store.checkReady()
            #expect(!facts.engine.isEmpty && !facts.version.isEmpty)
            #expect(facts.schemaVersion >= 1)
            #expect(facts.databaseBytes > 0)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a copy opens, and equals the store it was made of`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            try await harness.enqueue(try Sample.jobs(40))
            let attempts = try await harness.claim(20)
            for attempt in attempts.prefix(10) { try await harness.succeed(attempt) }
            let copies = try TemporaryDirectory()
            let sqlite = try #require(harness.store as? SQLiteJobStore)
            try await sqlite.backup(to: copies.database)
            try await harness.enqueue("after the copy")

            let copy = try await backend.open(copies)
            let theirs = try await copy.stats()
            #expect(theirs.counts.queued == 20)
            #expect(theirs.counts.running == 10)
            #expect(theirs.counts.succeeded == 11)
            let result = try await copy.results(ResultsQuery(source: .all), after: 0, limit: 50)
            #expect(result.count == 11)
            #expect(result.allSatisfy { $0.job.response == Sample.answer().body })
            // And it goes on from there.
            #expect(
                try await copy.settle(Sample.success(attempts[15].key))
                    == .settled(.succeeded))
            await copy.close()
            #expect(try backend.audit(copies).violations().isEmpty)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a copy replaces no file`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let copies = try TemporaryDirectory()
            let sqlite = try #require(harness.store as? SQLiteJobStore)
            try await sqlite.backup(to: copies.database)
            await #expect(throws: JobStoreError.self) {
                try await sqlite.backup(to: copies.database)
            }
        }
    }

    @Test func `a schema newer than the program is refused, at the start and while running`() async throws {
        let directory = try TemporaryDirectory()
        let store = try await Backend.sqlite.open(directory)
        let connection = try Connection(path: directory.database)
        try connection.execute("PRAGMA user_version = 999")
        let running = await #expect(throws: JobStoreError.self) { _ = try await store.checkReady() }
        #expect(running?.code == .schemaTooNew)
        let writing = await #expect(throws: JobStoreError.self) {
            try await store.enqueue([try Sample.job("late")], atomically: false)
        }
        #expect(writing?.code == .schemaTooNew)
        let jobs = try connection.queryOne("SELECT count(*) FROM job") { row in row.int(0) }
        #expect(jobs == 0)
        await store.close()
        let starting = await #expect(throws: JobStoreError.self) {
            _ = try await Backend.sqlite.open(directory)
        }
        #expect(starting?.code == .schemaTooNew)
        #expect(starting?.message.contains("999") == true)
    }

    @Test func `a file that is no database is refused`() async throws {
        let directory = try TemporaryDirectory()
        try Array(repeating: "this is no database\n", count: 500).joined()
            .write(toFile: directory.database, atomically: true, encoding: .utf8)
        let error = await #expect(throws: JobStoreError.self) {
            _ = try await Backend.sqlite.open(directory)
        }
        #expect(error?.code == .unsuitable)
    }
}
