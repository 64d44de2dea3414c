import Jobs
import Migrations
import Postgres

/// The schema's version, kept in the table `renga`.
enum Schema {
    static let version = Migration.postgres.last?.version ?? 0

    /// Takes the steps that the database lacks; of several processes that start at once one takes them.
    static func migrate(_ connection: Connection) throws {
        let found = try version(of: connection)
        try demandKnown(found)
        guard found < version else { return }
        let steps = Migration.postgres.filter { $0.version > found }
            .map { String(decoding: $0.sql, as: UTF8.self) }
        // One transaction, as the server runs a script that does not say otherwise.
        let script = "SELECT pg_advisory_xact_lock(7464, 0);\n" + steps.joined(separator: "\n")
        do {
            try connection.execute(script: script)
        } catch {
            // Another process was first.
            guard connection.isUsable, try version(of: connection) > found else { throw error }
            try migrate(connection)
        }
    }

    /// 0 if there is none.
    private static func version(of connection: Connection) throws -> Int {
        let hasTable = try connection.run([Call(.hasTable)])[0].first?.bool(0) ?? false
        guard hasTable else { return 0 }
        return try connection.run([Call(.version)])[0].first?.int(0) ?? 0
    }

    /// Throws `schemaTooNew`: a newer renga may take further steps while this one runs, and from then on it changes nothing any more.
    static func demandKnown(_ found: Int) throws {
        guard found >= 0 else {
            throw JobStoreError(
                .unsuitable,
                "the database is a copy that is not whole yet: finish the copy, or begin with another")
        }
        guard found > version else { return }
        throw JobStoreError(
            .schemaTooNew,
            "the database has schema version \(found), this renga knows \(version): use a newer renga")
    }
}

extension Statement {
    fileprivate static let hasTable = Statement(
        "has-schema", "SELECT to_regclass('renga') IS NOT NULL")
    fileprivate static let version = Statement("schema-version", "SELECT version FROM renga")
}
