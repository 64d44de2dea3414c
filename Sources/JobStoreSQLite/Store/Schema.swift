import CrashPoint
import Jobs
import Migrations
import SQLite

/// The schema's version, kept in the file as `user_version`.
enum Schema {
    static let version = Migration.sqlite.last?.version ?? 0

    /// Takes the steps that the file lacks.
    ///
    /// Runs inside the writer's transaction, so of several processes that start
    /// at once one takes them and the others find them taken.
    static func migrate(_ connection: Connection) throws {
        let found = try checkKnown(connection)
        for step in Migration.sqlite where step.version > found {
            try connection.execute(String(decoding: step.sql, as: UTF8.self))
            try connection.execute("PRAGMA user_version = \(step.version)")
            crashPoint("migration-step")
        }
    }

    /// A newer renga may take further steps while this one runs: from then on it changes nothing any more.
    ///
    /// Returns the version; throws `schemaTooNew`.
    @discardableResult
    static func checkKnown(_ connection: Connection) throws -> Int {
        let found = try self.version(of: connection)
        guard found <= version else {
            throw JobStoreError(
                .schemaTooNew,
                "the database has schema version \(found), this renga knows \(version): use a newer renga")
        }
        return found
    }

    /// Writes what stands there already: the least that can be written.
    static func rewriteVersion(_ connection: Connection) throws {
        try connection.execute("PRAGMA user_version = \(try version(of: connection))")
    }

    static func version(of connection: Connection) throws -> Int {
        try connection.queryOne("PRAGMA user_version") { row in row.int(0) } ?? 0
    }
}
