import Foundation
import JobStoreSQLite
import Jobs
import SQLite
import Testing

@testable import StoreConformance

/// Copies of a file, files of a newer program, and files that are none.
@Suite struct FileTests {
    @Test func `a copy opens, and equals the store it was made of`() async throws {
        try await StoreHarness.run(.sqlite) { harness in
            try await harness.warmUp()
            try await harness.enqueue(try Sample.jobs(40))
            let attempts = try await harness.claim(20)
            for attempt in attempts.prefix(10) { try await harness.succeed(attempt) }
            let copies = try TemporaryDirectory()
            let sqlite = try harness.sqlite
            try await sqlite.backup(to: copies.database)
            try await harness.enqueue("after the copy")

            let copy = try await SQLiteDatabase(copies).openFile()
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
            #expect(try SQLiteDatabase(copies).violations().isEmpty)
        }
    }

    @Test func `a copy replaces no file`() async throws {
        try await StoreHarness.run(.sqlite) { harness in
            let copies = try TemporaryDirectory()
            let sqlite = try harness.sqlite
            try await sqlite.backup(to: copies.database)
            await #expect(throws: JobStoreError.self) {
                try await sqlite.backup(to: copies.database)
            }
        }
    }

    @Test func `a schema newer than the program is refused, at the start and while running`() async throws {
        let directory = try TemporaryDirectory()
        let store = try await SQLiteDatabase(directory).openFile()
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
            _ = try await SQLiteDatabase(directory).openFile()
        }
        #expect(starting?.code == .schemaTooNew)
        #expect(starting?.message.contains("999") == true)
    }

    @Test func `a file that is no database is refused`() async throws {
        let directory = try TemporaryDirectory()
        try Array(repeating: "this is no database\n", count: 500).joined()
            .write(toFile: directory.database, atomically: true, encoding: .utf8)
        let error = await #expect(throws: JobStoreError.self) {
            _ = try await SQLiteDatabase(directory).openFile()
        }
        #expect(error?.code == .unsuitable)
    }
}
