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
    static func migrate(_ connection: Connection, steps: [Migration] = Migration.sqlite) throws {
        if try version(of: connection) > 0 { try demandReleased(connection) }
        let found = try checkKnown(connection, newest: steps.last?.version ?? 0)
        for step in steps where step.version > found {
            try connection.execute(String(decoding: step.sql, as: UTF8.self))
            try connection.execute("PRAGMA user_version = \(step.version)")
            crashPoint("migration-step")
        }
    }

    /// The schema of the first release has a tenant in it; those of commits before it are carried nowhere.
    private static func demandReleased(_ connection: Connection) throws {
        guard
            try !connection.exists("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'tenant'", [])
        else { return }
        guard try connection.exists("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'job'", [])
        else {
            throw JobStoreError(
                .unsuitable,
                "the database is another program's: it has no table of renga's. Name another file (--database PATH)"
            )
        }
        throw JobStoreError(
            .unsuitable,
            "the database was made by a renga from before the first release, whose schema is not carried on: "
                + "begin with another file (--database PATH)"
        )
    }

    /// A newer renga may take further steps while this one runs: from then on it changes nothing any more.
    ///
    /// Returns the version; throws `schemaTooNew`.
    @discardableResult
    static func checkKnown(_ connection: Connection, newest: Int = version) throws -> Int {
        let found = try version(of: connection)
        guard found >= 0 else {
            throw JobStoreError(
                .unsuitable,
                "the database is a copy that is not whole yet: finish the copy, or begin with another file")
        }
        guard found <= newest else {
            try demandReleased(connection)
            throw JobStoreError(
                .schemaTooNew,
                "the database has schema version \(found), this renga knows \(newest): use a newer renga")
        }
        return found
    }

    /// Writes what is there already: the least that can be written.
    static func rewriteVersion(_ connection: Connection) throws {
        try connection.execute("PRAGMA user_version = \(try version(of: connection))")
    }

    static func version(of connection: Connection) throws -> Int {
        try connection.queryOne("PRAGMA user_version") { row in row.int(0) } ?? 0
    }
}
