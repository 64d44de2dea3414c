import Migrations
import Postgres

/// A database of a server in a move, over the one connection that the move has to it.
struct MovedServer {
    let connection: Connection
    let name: String

    init(_ connection: Connection, named name: String) {
        self.connection = connection
        self.name = name
    }

    /// Looks at what is there, and changes nothing.
    func standing() throws -> Standing {
        guard try connection.run([Call(.hasRenga)])[0].first?.bool(0) == true else { return .empty }
        let version = Int(clamping: try connection.run([Call(.version)])[0].first?.int64(0) ?? 0)
        guard version == ServerReader.newestVersion else {
            return Standing(
                version: version, newest: ServerReader.newestVersion, hasRows: true, try mark())
        }
        let hasRows = try connection.run([Call(.hasRows)])[0].first?.bool(0) ?? false
        return Standing(version: version, newest: version, hasRows: hasRows, nil)
    }

    func mark() throws -> MoveMark? { try MoveMark.find { try connection.run($0) } }

    /// Keeps other moves away for as long as the connection lives.
    func claim() throws {
        guard try connection.run([Call(.claim)])[0].first?.bool(0) == true else {
            throw CopyError("another move is at work on \(name): wait until it has ended")
        }
    }

    /// Throws who works with the database.
    func demandNobody() throws {
        try Self.demandNobody(on: name) { try connection.run([$0])[0] }
    }

    /// The same within a transaction; a worker that was heard of within `patience` milliseconds lives too, as its calls do.
    func demandNobody(_ transaction: Transaction, patience: Int64) throws {
        let ask = { (call: Call) in try transaction.run([call])[0] }
        try Self.demandNobody(on: name, ask)
        var arguments = Arguments()
        arguments.add(patience)
        guard let worker = try ask(Call(.liveWorker, arguments)).first else { return }
        throw CopyError(
            "\(name) is in use: the worker \(try worker.text(0)) on \(try worker.text(1)) was heard of "
                + "\(try worker.int64(2) / 1_000) s ago. Stop all servers and workers first; if that one is dead, try again in "
                + "\(patience / 1_000) s")
    }

    func demandNoClosings(_ transaction: Transaction) throws {
        guard try !transaction.run([Call(.anyClosing)])[0].isEmpty else { return }
        throw CopyError(
            "somebody worked with \(name) a moment ago. Stop all servers and workers first, and try again")
    }

    private static func demandNobody(on name: String, _ ask: (Call) throws -> Rows) throws {
        guard let found = try ask(Call(.connected)).first, try found.int64(0) > 0 else { return }
        throw CopyError(
            "\(name) is in use: renga has \(try found.int64(0)) connections to it, from \(try found.text(1)). "
                + "Stop all servers and workers first")
    }

    /// The time by which its stores go, in milliseconds.
    func now() throws -> Int64 { try connection.run([Call(.now)])[0][0].int64(0) }

    /// That of a server which no store has written to.
    func clock() throws -> Int64 { try connection.run([Call(.clock)])[0][0].int64(0) }
}

extension Statement {
    fileprivate static let hasRenga = Statement("move-has-schema", "SELECT to_regclass('renga') IS NOT NULL")
    fileprivate static let anyClosing = Statement("move-closings", "SELECT id FROM shared_closing LIMIT 1")
    fileprivate static let claim = Statement("move-claim", "SELECT pg_try_advisory_lock(7464, 3)")
    fileprivate static let clock = Statement(
        "move-clock", "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
    fileprivate static let now = Statement(
        "move-now",
        "SELECT greatest((extract(epoch FROM clock_timestamp()) * 1000)::bigint, clock_floor) FROM renga")
    fileprivate static let connected = Statement(
        "move-connected",
        """
        SELECT count(*), coalesce(string_agg(DISTINCT coalesce(host(client_addr), 'its own machine'), ', '), '')
        FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
            AND application_name LIKE 'renga%'
        """)
    fileprivate static let liveWorker = Statement(
        "move-live-worker",
        """
        SELECT name, host, greatest((extract(epoch FROM clock_timestamp()) * 1000)::bigint - seen_at, 0)
        FROM worker
        WHERE NOT stopped AND seen_at > (extract(epoch FROM clock_timestamp()) * 1000)::bigint - $1::bigint
        ORDER BY seen_at DESC
        LIMIT 1
        """, .bigint)
}
