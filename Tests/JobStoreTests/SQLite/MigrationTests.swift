import Jobs
import Migrations
import SQLite
import TestSupport
import Testing

@testable import JobStoreSQLite

/// Databases that another version made, and what becomes of them.
@Suite struct MigrationTests {
    /// A step that a later version might bring.
    private static let later = Migration(
        version: Schema.version + 1, file: "made_up.sql",
        sql: Array(
            """
            ALTER TABLE job ADD COLUMN note TEXT;
            CREATE TABLE note (job_id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
            INSERT INTO note (job_id, body) SELECT id, state FROM job;
            """.utf8))

    @Test func `a further step keeps all that is there, and is taken once`() async throws {
        let directory = try TemporaryDirectory()
        try await StoreHarness.run(.sqlite, in: directory) { harness in
            try await harness.warmUp()
            try await harness.enqueue(try Sample.jobs(9))
            for attempt in try await harness.claim(4) { try await harness.succeed(attempt) }
        }
        let connection = try Connection(path: directory.database)
        for _ in 0..<2 {
            try connection.execute("BEGIN IMMEDIATE")
            try Schema.migrate(connection, steps: Migration.sqlite + [Self.later])
            try connection.execute("COMMIT")
        }
        #expect(try Schema.version(of: connection) == Schema.version + 1)
        #expect(try connection.queryOne("SELECT count(*) FROM note") { row in row.int(0) } == 10)
        let succeeded = try connection.queryOne("SELECT count(*) FROM note WHERE body = 'succeeded'") { row in
            row.int(0)
        }
        #expect(succeeded == 5)
    }

    @Test func `a database of a later version is refused, and of an earlier commit in one sentence`()
        async throws
    {
        let later = try TemporaryDirectory()
        let early = try TemporaryDirectory()
        for (directory, steps) in [
            (later, "CREATE TABLE tenant (id INTEGER); PRAGMA user_version = \(Schema.version + 1)"),
            (early, "CREATE TABLE job (id INTEGER PRIMARY KEY) STRICT; PRAGMA user_version = 37"),
        ] {
            let connection = try Connection(path: directory.database)
            try connection.execute(steps)
        }
        func refusal(_ directory: TemporaryDirectory) async -> JobStoreError? {
            do {
                await (try SQLiteJobStore(path: directory.database, clock: HandClock())).close()
                return nil
            } catch {
                return error as? JobStoreError
            }
        }
        #expect(await refusal(later)?.code == .schemaTooNew)
        let error = try #require(await refusal(early))
        #expect(error.code == .unsuitable && error.message.contains("before the first release"))
        #expect(error.message.contains("--database PATH"))
    }
}
