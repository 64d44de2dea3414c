package import Jobs
package import Postgres

/// What there is to know of a server and a database before anything is changed there.
package struct PostgresCheck: Sendable {
    package let version: String
    /// Nil if there are no tables of renga's.
    package let schemaVersion: Int?
    /// Whether this program may work with that schema.
    package let mayWork: Bool
    /// Why nobody may work on it, as it takes part in a move; nil if it does not.
    package let moveRefusal: String?
    package let bytes: Int64
    package let connections: Int
    package let connectionLimit: Int
    package let health: ServerHealth
    /// Whether sessions hear at once what others say; else work is found by looking again.
    package private(set) var hears = true
    /// What of its settings can lose acknowledged jobs, or slows it down, a sentence each.
    package let cautions: [String]
    /// How it is replicated, for people.
    package let replication: String

    /// Connects, and asks; throws `JobStoreError`.
    package init(_ database: ConnectionSettings) throws(JobStoreError) {
        do {
            let connection = try Connection.open(database)
            let check = try ServerCheck(first: connection, second: Connection.open(database))
            try check.run()
            self = try connection.transaction(.snapshot) { transaction in
                try PostgresCheck(Access(transaction))
            }
            hears = try check.hears()
        } catch {
            throw JobStoreError(error)
        }
    }

    private init(_ access: Access) throws {
        let answers = try access.query([Call(.serverFacts), Call(.hasTables)])
        guard let server = answers[0].first else {
            throw JobStoreError(.unavailable, "the server says nothing of itself")
        }
        version = try server.text(0)
        bytes = try server.int64(1)
        connections = try server.int(2)
        connectionLimit = Int(try server.text(3)) ?? 0
        health = try ServerHealth(access)
        cautions = try Self.cautions(server)
        let names = try server.text(8)
        replication =
            try server.int(9) == 0
            ? "no standby is connected"
            : "\(try server.int(9)) standbys, \(names.isEmpty ? "none of them synchronous" : "synchronous: \(names)")"
        let hasTables = try answers[1].first?.bool(0) ?? false
        let schema = hasTables ? try access.queryOne(.checkedSchema) { row in try Schema.Found(row) } : nil
        moveRefusal = try schema?.moveRefusal { call in try access.query([call])[0] }
        schemaVersion = schema?.version
        mayWork = schema.map { $0.standing() == .works } ?? true
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
    fileprivate static let hasTables = Statement("has-tables", "SELECT to_regclass('renga') IS NOT NULL")
    fileprivate static let checkedSchema = Statement(
        "checked-schema", assembled: "SELECT \(Schema.Found.columns) FROM renga", isKept: true)
}
