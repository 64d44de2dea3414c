import JobStorePostgres
import Jobs
import Postgres
import Synchronization
import TestPostgres

/// The PostgreSQL server of a run: started when a benchmark first asks for it, and gone with this process.
///
/// It syncs what it commits, on the disk that holds the working directory.
final class PostgresServer: Sendable {
    /// What a server has that is there for renga; all else is as PostgreSQL comes.
    private static let settings = [
        "shared_buffers": "1GB", "max_wal_size": "4GB", "max_connections": "200",
    ]

    /// Limits of all three kinds, none of which ever binds.
    static let limits = RouteLimits(
        requests: 1_000_000_000, inputTokens: 1_000_000_000_000, outputTokens: 1_000_000_000_000)

    private let folder: String
    private let started = Mutex<TestPostgres?>(nil)
    private let databases = Mutex<[String]>([])

    init(folder: String) {
        self.folder = folder
    }

    private func server() throws -> TestPostgres {
        try started.withLock { started in
            if let started { return started }
            let server = try TestPostgres(in: folder, isDurable: true, settings: Self.settings)
            started = server
            return server
        }
    }

    /// Nothing is to be tidied up in them while others are measured.
    func dropDatabases() throws {
        let names = databases.withLock { names in
            defer { names = [] }
            return names
        }
        for name in names { try server().drop(name) }
    }

    /// To be called before its folder is removed.
    func end() {
        // If it cannot be ended, it ends with this process.
        try? started.withLock { try $0?.end() }
    }

    /// An empty database, and with it everything that was written before on disk.
    func database() throws -> PostgresPlace {
        let server = try server()
        let name = try server.makeDatabase()
        databases.withLock { $0.append(name) }
        let place = PostgresPlace(server: server, name: name)
        try place.connect().execute(script: "CHECKPOINT")
        return place
    }

    /// A new database with renga's schema, a route with limits that never bind, and two budgets that never end.
    func preparedDatabase() async throws -> PostgresPlace {
        let place = try database()
        let store = try await place.openStore()
        try await Self.prepare(store)
        await store.close()
        return place
    }

    private static func prepare(_ store: PostgresJobStore) async throws {
        let claiming = try await Claiming(store, limits: limits)
        for window in [Budget.Window.day, .month] {
            _ = try await store.set(
                Budget(
                    name: window.rawValue, window: window, limit: Money(nanodollars: 1_000_000_000_000_000)))
        }
        // Its lane, its buckets and its windows are there from then on.
        _ = try await store.enqueue([try Sample.job(-1, for: Sample.service())], atomically: true)
        _ = try await claiming.rate(of: 1)
    }

    /// Nil if none was started.
    var description: String? {
        get throws {
            guard let server = started.withLock({ $0 }) else { return nil }
            let place = PostgresPlace(server: server, name: "postgres")
            let version = try place.connect().identity?.version ?? 0
            let settings = Self.settings.sorted { $0.key < $1.key }.map { "\($0) \($1)" }
            return (["PostgreSQL \(version / 10_000).\(version % 10_000)", "fsync on"] + settings)
                .joined(separator: ", ")
        }
    }

    /// Of the server with all its connections, as far as they have ended or still are there.
    var cpuSeconds: Double {
        guard let number = started.withLock({ $0 })?.processNumber else { return 0 }
        return ProcessFacts.familyCPUSeconds(number)
    }
}

/// A database of the server.
struct PostgresPlace: Sendable {
    fileprivate let server: TestPostgres
    fileprivate let name: String

    /// Through the socket.
    var url: String { server.url(database: name) }
    /// Through TCP, by way of something that listens at another port.
    func url(through port: Int) -> String { server.tcpURL(database: name, port: port) }
    var port: Int { server.port }

    func openStore() async throws -> PostgresJobStore {
        try await PostgresJobStore(ConnectionSettings(url: url, from: .environment))
    }

    /// Plans are made once for all calls, and never compiled, as renga has it.
    func connect() throws -> Connection {
        var settings = try ConnectionSettings(url: url, from: .environment)
        settings.serverSettings = [
            "jit": "off", "plan_cache_mode": "force_generic_plan", "enable_seqscan": "off",
            "enable_bitmapscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off",
            "enable_material": "off",
        ]
        return try Connection.open(settings)
    }

    /// As an ordinary client would have it, but that no plan is compiled.
    static func openPlain(_ url: String) throws -> Connection {
        var settings = try ConnectionSettings(url: url, from: .environment)
        settings.serverSettings = ["jit": "off"]
        return try Connection.open(settings)
    }
}
