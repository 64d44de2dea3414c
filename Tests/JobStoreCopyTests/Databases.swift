import Foundation
import Migrations
import Postgres
import SQLite
import TestPostgres
import TestSupport

@testable import JobStoreCopy

/// A folder that goes with its test.
final class Folder: Sendable {
    let path: String
    var file: String { path + "/renga.db" }

    init() throws {
        path = NSTemporaryDirectory() + "renga-copy-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// With these rows in it; moments are told by the scale.
    func fill(_ rows: [(table: CopiedTable, rows: [CopiedRow])], _ scale: MomentScale = .same) async throws {
        var writer = try FileWriter(path: file)
        _ = try writer.begin(MoveMark(scale))
        for (table, rows) in rows { try writer.write(rows, of: table) }
        try writer.finish()
        await writer.close()
    }

    /// Changes what the copier would not write.
    func execute(_ script: String) throws {
        try SQLite.Connection(path: file).execute("PRAGMA foreign_keys = OFF; " + script)
    }

    func read<T>(_ scale: MomentScale = .same, _ body: (FileReader) throws -> T) throws -> T {
        let connection = try SQLite.Connection(path: file, mode: .read)
        return try connection.snapshot { try body(FileReader(connection, scale)) }
    }
}

/// A PostgreSQL database that goes with its test.
final class Server: Sendable {
    let session: Session
    private let name: String

    init() throws {
        name = try TestPostgres.shared().makeDatabase()
        session = try Session(Self.settings(name), random: SeededRandom(seed: 1))
    }

    /// For another connection.
    func settings() throws -> ConnectionSettings { try Self.settings(name) }

    private static func settings(_ name: String) throws -> ConnectionSettings {
        try ConnectionSettings(url: TestPostgres.shared().url(database: name), from: .environment)
    }

    func drop() async throws {
        await session.close()
        try TestPostgres.shared().drop(name)
    }

    /// A whole database with these rows in it.
    func fill(_ rows: [(table: CopiedTable, rows: [CopiedRow])]) async throws {
        try await session.run { connection in
            let writer = ServerWriter(connection)
            _ = try writer.begin(MoveMark(.same))
            for (table, rows) in rows { try writer.write(rows, of: table) }
            try writer.finish()
        }
    }

    func execute(_ script: String) async throws {
        try await session.run { connection in try connection.execute(script: script) }
    }

    func number(_ query: String) async throws -> Int64 {
        try await session.run { connection in
            try connection.run([Call(Statement("test", assembled: query))])[0][0].int64(0)
        }
    }

    func sums() async throws -> [TableSum] {
        try await session.run { connection in try ServerWriter(connection).sums { _, _ in } }
    }
}

/// Lends a database, and drops it.
func withServer(_ body: (Server) async throws -> Void) async throws {
    let server = try Server()
    do {
        try await body(server)
    } catch {
        try await server.drop()
        throw error
    }
    try await server.drop()
}

/// What the copier says of what it cannot copy.
func refusal(_ body: () async throws -> Void) async throws -> String? {
    do {
        try await body()
        return nil
    } catch let error as CopyError {
        return error.description
    }
}
