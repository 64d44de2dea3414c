package import Jobs
package import Postgres

/// What there is to know of a server and a database before anything is changed there.
package struct PostgresCheck: Sendable {
    package let version: String
    /// Nil if there are no tables of renga's.
    package let schemaVersion: Int?
    package let bytes: Int64
    package let connections: Int
    package let connectionLimit: Int
    /// Of the oldest view of the database that some transaction still has; nil if there is none.
    package let oldestSnapshotSeconds: Int?
    package let oldestSnapshotProcess: Int?
    /// What of its settings can lose acknowledged jobs, or slows it down, a sentence each.
    package let cautions: [String]
    /// How it is replicated, for people.
    package let replication: String

    package var knownVersion: Int { Schema.version }

    /// Connects, and asks; throws `JobStoreError`.
    package init(_ database: ConnectionSettings) throws(JobStoreError) {
        do {
            let connection = try Connection.open(database)
            self = try connection.transaction(.snapshot) { transaction in
                try PostgresCheck(Access(transaction))
            }
        } catch {
            throw JobStoreError(error)
        }
    }

    private init(_ access: Access) throws {
        let answers = try access.query([Call(.serverFacts), Call(.oldestSnapshot), Call(.hasTables)])
        guard let server = answers[0].first else {
            throw JobStoreError(.unavailable, "the server says nothing of itself")
        }
        version = try server.text(0)
        bytes = try server.int64(1)
        connections = try server.int(2)
        connectionLimit = Int(try server.text(3)) ?? 0
        oldestSnapshotProcess = try answers[1].first?.int(0)
        oldestSnapshotSeconds = try answers[1].first?.int(1)
        cautions = try Self.cautions(server)
        let names = try server.text(8)
        replication =
            try server.int(9) == 0
            ? "no standby is connected"
            : "\(try server.int(9)) standbys, \(names.isEmpty ? "none of them synchronous" : "synchronous: \(names)")"
        let hasTables = try answers[2].first?.bool(0) ?? false
        schemaVersion = hasTables ? try access.queryOne(.checkedSchema) { row in try row.int(0) } : nil
    }

    private static func cautions(_ server: Row) throws -> [String] {
        var cautions: [String] = []
        for (name, column) in [("fsync", 4), ("full_page_writes", 5), ("synchronous_commit", 6)]
        where try server.text(column) == "off" {
            cautions.append(
                "\(name) is off: a crash of the server's machine can lose jobs that were acknowledged")
        }
        if try server.text(7) == "off" {
            cautions.append("autovacuum is off: tables and indexes of the queue grow without end; turn it on")
        }
        return cautions
    }
}

extension Statement {
    fileprivate static let serverFacts = Statement(
        "server-facts",
        """
        SELECT current_setting('server_version'), pg_database_size(current_database()),
            (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'), current_setting('max_connections'),
            current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit'),
            current_setting('autovacuum'), current_setting('synchronous_standby_names'),
            (SELECT count(*) FROM pg_stat_replication)
        """)
    fileprivate static let oldestSnapshot = Statement(
        "oldest-snapshot",
        """
        SELECT pid::bigint, extract(epoch FROM clock_timestamp() - xact_start)::bigint
        FROM pg_stat_activity
        WHERE backend_xmin IS NOT NULL AND xact_start IS NOT NULL AND pid <> pg_backend_pid()
            AND backend_type = 'client backend'
        ORDER BY xact_start
        LIMIT 1
        """)
    fileprivate static let hasTables = Statement("has-tables", "SELECT to_regclass('renga') IS NOT NULL")
    fileprivate static let checkedSchema = Statement("checked-schema", "SELECT version FROM renga")
}
