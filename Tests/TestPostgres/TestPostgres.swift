import Foundation
import Glibc
import Postgres
import Synchronization
import System

/// A PostgreSQL server of this test run's own, on a socket in TMPDIR and on loopback, which ends with the process.
///
/// It compiles nothing, and syncs nothing unless it is asked to. A shell keeps it: it reads orders from this process, and when there are no more (as the process
/// has ended, however) it stops the server and removes its files.
package final class TestPostgres: Sendable {
    package let folder: String
    package let port: Int
    /// In PEM form, for 127.0.0.1 only, signed by itself.
    package var certificate: String { folder + "/cert.pem" }

    private let keeper: Mutex<Keeper>
    private let databases = Atomic(0)

    /// The one that tests share if they do it no harm.
    package static func shared() throws -> TestPostgres { try sharedResult.get() }

    private static let sharedResult = Result { try TestPostgres() }

    package struct Failed: Error, CustomStringConvertible {
        package var description: String
    }

    /// Starts a server; one in recovery takes no writes, as a standby, and a durable one syncs what it commits.
    ///
    /// Its files are in a folder of their own under `parent`, or in TMPDIR; `settings` go before those that are usual here.
    package convenience init(
        in parent: String? = nil, inRecovery: Bool = false, isDurable: Bool = false,
        settings: [String: String] = [:]
    ) throws {
        try self.init(
            in: parent, inRecovery: inRecovery, isDurable: isDurable, settings: settings, replicaOf: nil)
    }

    /// Starts a streaming replica.
    package convenience init(replicaOf primary: TestPostgres) throws {
        try self.init(
            in: nil, inRecovery: true, isDurable: false, settings: [:],
            replicaOf: "host=\(primary.folder) port=\(primary.port) user=postgres")
    }

    private init(
        in parent: String?, inRecovery: Bool, isDurable: Bool, settings: [String: String],
        replicaOf primary: String?
    ) throws {
        let tools = try Self.tools()
        port = try Self.freePort()
        folder = try Self.folder(in: parent ?? FileManager.default.temporaryDirectory.path)
        let keeper = try Keeper(
            tools: tools, folder: folder, port: port, inRecovery: inRecovery, syncs: isDurable,
            settings: settings, replicaOf: primary)
        try keeper.awaitWord("started")
        self.keeper = Mutex(keeper)
        guard !inRecovery else { return }
        try Connection.open(self.settings()).execute(script: "CREATE DATABASE renga_template")
    }

    /// Ends it without a word to anybody, as a power cut would.
    package func crash() throws { try keeper.withLock { try $0.order("crash", answer: "crashed") } }

    /// Ends it before this process ends, with its files.
    package func end() throws { try keeper.withLock { try $0.end() } }

    /// The process number of the server, whose children are its connections; nil while it is down.
    package var processNumber: Int32? {
        let lines = try? String(contentsOfFile: folder + "/data/postmaster.pid", encoding: .utf8)
        return lines?.split(separator: "\n").first.flatMap { Int32($0) }
    }

    package func restart() throws { try keeper.withLock { try $0.order("start", answer: "started") } }

    /// The name of a new database, made from a template: an empty one, or one of `makeTemplate`.
    package func makeDatabase(from template: String = "renga_template") throws -> String {
        let name = "test_\(databases.wrappingAdd(1, ordering: .relaxed).newValue)"
        try Connection.open(settings()).execute(script: "CREATE DATABASE \(name) TEMPLATE \(template)")
        return name
    }

    /// Makes a database by scripts, of which others can be copied in a moment.
    package func makeTemplate(_ name: String, _ scripts: [String]) throws {
        try Connection.open(settings()).execute(script: "CREATE DATABASE \(name)")
        let connection = try Connection.open(
            ConnectionSettings(url: url(database: name), from: .environment))
        for script in scripts { try connection.execute(script: script) }
    }

    /// Ends the connections to it, too.
    package func drop(_ database: String) throws {
        try Connection.open(settings()).execute(script: "DROP DATABASE \(database) WITH (FORCE)")
    }

    /// The URL of a new, empty database.
    package func database() throws -> String { try url(database: makeDatabase()) }

    /// Through the socket.
    package func url(database: String = "postgres") -> String {
        let path = folder.replacingOccurrences(of: "/", with: "%2F")
        return "postgres://postgres@\(path):\(port)/\(database)"
    }

    /// Through TCP.
    package func tcpURL(
        database: String = "postgres", port: Int? = nil, _ parameters: String = "sslmode=disable"
    )
        -> String
    {
        "postgres://postgres@127.0.0.1:\(port ?? self.port)/\(database)?\(parameters)"
    }

    private func settings() throws -> ConnectionSettings {
        try ConnectionSettings(url: url(), from: .environment)
    }

    /// Where initdb is.
    private static func tools() throws -> String {
        let root = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        let folders = versions.compactMap { Int($0) }.sorted(by: >).map { "\(root)/\($0)/bin" }
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        guard
            let found = (folders + path).first(where: {
                FileManager.default.isExecutableFile(atPath: $0 + "/initdb")
            })
        else {
            throw Failed(
                description:
                    "PostgreSQL's server is not installed: apt-get install -y postgresql (./dev test does it)"
            )
        }
        return found
    }

    private static func folder(in parent: String) throws -> String {
        let number = UInt32.random(in: 0...UInt32.max)
        let folder = URL(filePath: parent).appending(path: "renga-pg-\(number)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // The path of a Unix socket has 107 bytes at most.
        guard folder.path.utf8.count < 85 else {
            throw Failed(description: "\(folder.path) is too long for the path of a socket")
        }
        return folder.path
    }

    /// Below those that the kernel hands out by itself, or somebody has it before the server begins, or while it is crashed.
    static func freePort() throws -> Int {
        for _ in 1...100 {
            let port = Int.random(in: 20_000...32_000)
            if isFree(port) { return port }
        }
        throw Failed(description: "there is no free port")
    }

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        address.sin_port = UInt16(port).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
