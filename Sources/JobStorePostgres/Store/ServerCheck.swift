import Jobs
import Postgres

/// Whether a server keeps what renga relies on, tried at a start on two connections; each refusal says what to do.
///
/// What a server says of itself is no proof: there are some that take an advisory lock and lock nothing.
struct ServerCheck {
    let first: Connection
    let second: Connection

    /// Throws `unsuitable`.
    func run() throws {
        try demandServerItself()
        try demandLocks()
        try demandListening()
        try demandRights()
    }

    /// A pooler that hands a server's connections round from transaction to transaction gives one of them to two clients, or two to one.
    private func demandServerItself() throws {
        let processes = try [first, second, first, first, second].map { connection in
            try connection.run([Call(.process)])[0].first?.int64(0) ?? 0
        }
        let ofFirst = Set([processes[0], processes[2], processes[3]])
        let ofSecond = Set([processes[1], processes[4]])
        guard ofFirst.count == 1, ofSecond.count == 1, ofFirst.isDisjoint(with: ofSecond) else {
            throw refusal(
                """
                it is behind a pooler in transaction mode (such as PgBouncer), which hands connections round: prepared statements \
                clash there, and no change is heard. Connect to the server itself, or to a pool in session mode \
                (pool_mode = session)
                """)
        }
    }

    private func demandLocks() throws {
        let number = Int64.random(in: 1...Int64(Int32.max))
        let isFree = try first.transaction { transaction in
            try transaction.run([Call(.lock, [.integer(number)])])
            return try second.run([Call(.tryLock, [.integer(number)])])[0].first?.bool(0) ?? true
        }
        guard !isFree else {
            throw refusal(
                """
                its advisory locks do nothing: two sessions got the same one, and jobs would be lost or repeated. \
                Use PostgreSQL itself
                """)
        }
    }

    private func demandListening() throws {
        do {
            try second.run([Call(Statement("check-listening", assembled: "LISTEN renga_check"))])
        } catch {
            guard second.isUsable else { throw error }
            throw refusal(
                "it refuses LISTEN (\(error.message)). Use PostgreSQL itself, and not a standby of it")
        }
    }

    private func demandRights() throws {
        guard let row = try first.run([Call(.rights)])[0].first else { return }
        let role = try row.text(0)
        guard let schema = try row.textOrNil(1) else {
            throw refusal(
                """
                the role \(role) has no schema to work in: none of its search_path exists, or it may use none. \
                Make one: CREATE SCHEMA renga AUTHORIZATION "\(role)"; ALTER ROLE "\(role)" SET search_path = renga
                """)
        }
        guard try row.bool(2) else {
            if try row.bool(3) { return }
            throw refusal(
                """
                there are no tables of renga yet, and the role \(role) may not make them in the schema \(schema): \
                GRANT CREATE ON SCHEMA "\(schema)" TO "\(role)", or run `renga migrate` once as a role that may
                """)
        }
        let closed = try row.texts(4).compactMap(\.self)
        guard closed.isEmpty else {
            throw refusal(
                """
                the role \(role) may not read and write \(closed.joined(separator: ", ")): \
                GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "\(schema)" TO "\(role)"; \
                GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA "\(schema)" TO "\(role)"
                """)
        }
    }

    private func refusal(_ reason: String) -> JobStoreError { JobStoreError(.unsuitable, reason) }
}

extension ServerCheck {
    /// Whether one session hears what another says within some seconds.
    func hears() throws -> Bool {
        let word = String(Int64.random(in: 1...Int64.max))
        try first.run([Call(.say, [.text(word)])])
        return second.takeNotifications(within: 5_000).contains { $0.payload == word }
    }
}

// Those that come before it is known that there is no pooler have no name at the server.
extension Statement {
    fileprivate static let process = Statement("check-process", assembled: "SELECT pg_backend_pid()::bigint")
    fileprivate static let lock = Statement(
        "check-lock", "SELECT pg_advisory_xact_lock(7465, $1::bigint::int)::text IS NULL", .bigint)
    fileprivate static let tryLock = Statement(
        "check-try-lock", "SELECT pg_try_advisory_xact_lock(7465, $1::bigint::int)", .bigint)
    fileprivate static let say = Statement(
        "check-say", "SELECT pg_notify('renga_check', $1::text)::text", .text)

    /// Who asks, in which schema, whether there are tables, whether it may make some, and which of them it may not use.
    fileprivate static let rights = Statement(
        "check-rights",
        """
        WITH home AS (SELECT relnamespace, relowner FROM pg_class WHERE oid = to_regclass('renga'))
        SELECT current_user::text, coalesce((SELECT nspname::text FROM pg_namespace WHERE oid = (SELECT relnamespace FROM home)),
                current_schema()::text),
            EXISTS (SELECT 1 FROM home), coalesce(has_schema_privilege(current_schema()::text, 'CREATE'), false),
            ARRAY(
                SELECT relname::text
                FROM pg_class
                JOIN home ON home.relnamespace = pg_class.relnamespace AND home.relowner = pg_class.relowner
                WHERE CASE relkind
                    WHEN 'r' THEN NOT (
                        has_table_privilege(pg_class.oid, 'SELECT') AND has_table_privilege(pg_class.oid, 'INSERT')
                        AND has_table_privilege(pg_class.oid, 'UPDATE') AND has_table_privilege(pg_class.oid, 'DELETE')
                    )
                    WHEN 'v' THEN NOT has_table_privilege(pg_class.oid, 'SELECT')
                    WHEN 'S' THEN NOT has_sequence_privilege(pg_class.oid, 'USAGE')
                    ELSE false
                END
                ORDER BY relname
                LIMIT 5
            )
        """)
}
