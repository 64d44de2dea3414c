import JobStoreCopy
import Jobs
import Postgres
import SQLite
import StoreAudit
import System
import TestPostgres

/// A database of one scenario on a PostgreSQL server.
final class ServerDatabase: RecordSource {
    let server: TestPostgres
    let url: String
    private let name: String
    private let session: Session

    /// On the server that tests share, or on one that is made for this.
    static func make(_ ownServer: (@Sendable () throws -> TestPostgres)?) async throws -> ServerDatabase {
        try await offPool {
            let server = try ownServer?() ?? TestPostgres.shared()
            return try ServerDatabase(server)
        }
    }

    private init(_ server: TestPostgres) throws {
        Ports.reserve(server.port)
        self.server = server
        name = try server.makeDatabase()
        url = server.url(database: name)
        // Not by renga's name: what asks whether renga is at work must not find the test.
        let own = try ConnectionSettings(url: url + "?application_name=proof", from: .environment)
        session = try Session(own, random: SystemRandom())
    }

    func read<T: Sendable>(_ body: @escaping @Sendable (SQLite.Connection) throws -> T) async throws -> T {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = folder.path + "/copy.db"
        try await DatabaseCopy.copy(from: session, toFile: path)
        return try await RecordFile(path: path).read(body)
    }

    func number(_ file: SQL, _ values: [SQLite.Value], onServer question: String) async throws -> Int {
        try await ask("SELECT (\(question))::bigint").first ?? 0
    }

    /// A column of whole numbers; asked again for some seconds, as the server may be on its way back.
    func ask(_ query: String) async throws -> [Int] {
        let call = Call(Statement("test-number", assembled: query))
        let end = ContinuousClock.now + .seconds(20)
        while true {
            do {
                return try await session.run([call])[0].map { row in Int(try row.int64(0)) }
            } catch let error as PostgresError
                where [.again, .unavailable, .unknownOutcome].contains(error.kind)
            {
                guard ContinuousClock.now < end else { throw error }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    func violations() async throws -> [String] {
        try await session.run { connection in try PostgresAudit.violations(connection) }
    }

    func still(at path: String) async throws -> any RecordSource {
        try await DatabaseCopy.copy(from: session, toFile: path)
        return StillCopy(server: self, file: RecordFile(path: path))
    }

    /// What the server said last, for a test's log.
    var lastWords: String {
        let log = (try? readFile(server.folder + "/log", limit: 64 << 20)) ?? []
        return String(decoding: log.suffix(3000), as: UTF8.self)
    }

    /// Nobody has it open any more.
    ///
    /// A server that is made for it goes with it.
    func drop() async {
        await session.close()
        try? await offPool { [self] in try server.drop(name) }
    }
}

/// A server's rows at one moment, in a file.
private struct StillCopy: RecordSource {
    let server: ServerDatabase
    let file: RecordFile

    func read<T: Sendable>(_ body: @escaping @Sendable (SQLite.Connection) throws -> T) async throws -> T {
        try await file.read(body)
    }

    func number(_ file: SQL, _ values: [SQLite.Value], onServer question: String) async throws -> Int {
        try await self.file.number(file, values, onServer: question)
    }

    func violations() async throws -> [String] { try await server.violations() }
    func still(at path: String) -> any RecordSource { self }
}
