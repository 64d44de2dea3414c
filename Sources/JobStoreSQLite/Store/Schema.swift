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
        if let refusal = try moveRefusal(found, connection) { throw JobStoreError(.unsuitable, refusal) }
        guard found <= newest else {
            try demandReleased(connection)
            throw JobStoreError(
                .schemaTooNew,
                "the database has schema version \(found), this renga knows \(newest): use a newer renga")
        }
        return found
    }

    /// Why nobody may work on the database, as it takes part in a move; nil if it does not.
    static func moveRefusal(_ version: Int, _ connection: Connection) throws -> String? {
        guard version < 0 else { return nil }
        guard try connection.exists("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'move_mark'")
        else { return MoveMark.missing }
        let refusal = try connection.queryOne(SQL("SELECT \(MoveMark.columns) FROM move_mark")) { row in
            MoveMark.State(rawValue: row.text(0)).map { state in
                MoveMark(
                    state, id: row.int64(1), source: row.text(2), target: row.text(3), begunAt: row.int64(4),
                    boot: row.int64(5), difference: row.int64(6)
                ).refusal
            }
        }
        return (refusal ?? nil) ?? MoveMark.missing
    }

    /// Writes what is there already: the least that can be written.
    static func rewriteVersion(_ connection: Connection) throws {
        try connection.execute("PRAGMA user_version = \(try version(of: connection))")
    }

    static func version(of connection: Connection) throws -> Int {
        try connection.queryOne("PRAGMA user_version") { row in row.int(0) } ?? 0
    }
}

extension MoveMark {
    fileprivate var refusal: String { refusal(begun: Timestamp(milliseconds: begunAt).text) }
}
