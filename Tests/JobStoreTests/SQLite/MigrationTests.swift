import JobStoreSQLite
import Jobs
import Migrations
import SQLite
import Testing

/// Databases that earlier versions filled, and what they are after this one has opened them.
@Suite struct MigrationTests {
    @Test(arguments: Migration.sqlite.dropLast().map(\.version))
    func `a database of an earlier schema goes on with all that is in it`(version: Int) async throws {
        let (now, old) = (try TemporaryDirectory(), try TemporaryDirectory())
        var refused: JobID?
        try await StoreHarness.run(.sqlite, in: now) { harness in
            try await harness.warmUp()
            try await harness.enqueue(
                try Sample.jobs(12).map { job in
                    var job = job
                    (job.tags, job.key) = (
                        ["kept"], "key of \(String(decoding: job.fingerprint, as: UTF8.self))"
                    )
                    return job
                })
            let attempts = try await harness.claim(9)
            for attempt in attempts.prefix(6) { try await harness.succeed(attempt) }
            let error = JobError(type: "invalid_request_error", message: "no", status: 400, retryable: false)
            try await harness.settle(attempts[6].key, .failed(error))
            refused = attempts[6].key.job
        }
        try rewrite(now.database, as: old.database, schema: version)
        try await StoreHarness.run(.sqlite, in: old) { harness in
            let counts = try await harness.store.stats(now: harness.now).counts
            #expect(counts.succeeded == 7 && counts.failed == 1 && counts.running == 2 && counts.queued == 3)
            let failed = try await harness.store.jobs(
                JobFilter(errorType: "invalid_request_error"), before: nil, limit: 10, bodies: [],
                now: harness.now)
            #expect(failed.map(\.id) == [refused])
            // Paid for once: the answers that were there are found by their prompts.
            try await harness.enqueue(try Sample.jobs(6))
            let claim = try await harness.fullClaim(20)
            #expect(claim.settledFromCache == 6 && claim.attempts.count == 3)
            for attempt in claim.attempts { try await harness.succeed(attempt) }
        }
    }

    /// Takes what an earlier schema has room for into a database that has it.
    private func rewrite(_ path: String, as copy: String, schema version: Int) throws {
        let connection = try Connection(path: copy)
        for step in Migration.sqlite where step.version <= version {
            try connection.execute(String(decoding: step.sql, as: UTF8.self))
        }
        try connection.run("ATTACH ?1 AS source", [.text(path)])
        try connection.execute("PRAGMA foreign_keys = OFF")
        let tables = try connection.query(
            """
            SELECT name
            FROM main.sqlite_schema
            WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
                AND name IN (SELECT name FROM source.sqlite_schema WHERE type = 'table')
            """
        ) { row in row.text(0) }
        for table in tables {
            let columns = try connection.query(
                """
                SELECT name
                FROM pragma_table_info(?1, 'main')
                WHERE name IN (SELECT name FROM pragma_table_info(?1, 'source'))
                """, [.text(table)]
            ) { row in row.text(0) }.joined(separator: ", ")
            try connection.execute(
                "INSERT OR REPLACE INTO main.\(table) (\(columns)) SELECT \(columns) FROM source.\(table)")
        }
        try connection.execute("PRAGMA user_version = \(version)")
    }
}
