package import Jobs
import Postgres

extension PostgresJobStore {
    package var standstill: String {
        "another writing transaction does not end, or the server or the way to it stands still"
    }

    /// Takes its turn among those that write, so that a store whose writers are stuck is not ready.
    package func checkReady() async throws -> StoreFacts {
        var facts = try await written()
        facts.cautions = try await read { access in try ServerHealth(access) }.cautions
        if let replica {
            // Asked anew: nobody may have read a list for a while.
            _ = try? await lists { lists in
                try await lists.jobs(JobFilter(), before: nil, limit: 1, bodies: [])
            }
            facts.replica = replica.facts
        }
        return facts
    }

    private func written() async throws -> StoreFacts {
        try await write(.claim) { context in
            guard let row = try context.query(.storeFacts).first else {
                throw JobStoreError(.unsuitable, "the database has lost its table renga")
            }
            if try row.bool(3) { throw JobStoreError(.unavailable, "the database accepts no writes") }
            return StoreFacts(
                engine: "PostgreSQL", version: try row.text(0), schemaVersion: try row.int(1),
                exposure: try Self.exposure(row), databaseBytes: try row.int64(2))
        }
    }

    private static func exposure(_ row: Row) throws -> String? {
        let off = try zip(["fsync", "full_page_writes", "synchronous_commit"], 4...6).filter { _, column in
            try row.text(column) == "off"
        }
        guard !off.isEmpty else { return nil }
        let names = off.map(\.0).joined(separator: ", ")
        return "this server runs with \(names) off: a crash of its machine can lose committed jobs"
    }
}

extension Statement {
    fileprivate static let storeFacts = Statement(
        "store-facts",
        """
        SELECT current_setting('server_version'), version, pg_database_size(current_database()),
            pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on', current_setting('fsync'),
            current_setting('full_page_writes'), current_setting('synchronous_commit')
        FROM renga
        """)
}
