import Jobs
import SQLite

/// What a look at a database file finds, without changing it: for `doctor`.
package struct DatabaseCheck: Sendable {
    /// The file's schema, and the newest that this program knows.
    package let schemaVersion: Int
    package let knownVersion: Int
    /// Whether it has tables, but none of renga's.
    package let isForeign: Bool
    /// Why nobody may work on it, as it takes part in a move; nil if it does not.
    package let moveRefusal: String?
    /// What is wrong with its pages; nil if nothing is, or they were not checked.
    package let damage: String?

    /// Looks at a file that exists, and takes the write lock for a moment.
    ///
    /// With `checksPages` every page is read, which takes about a second a gigabyte. Throws `JobStoreError` if the
    /// file cannot be read or written.
    package init(path: String, checksPages: Bool) throws {
        do {
            try DatabaseFile.check(path: path)
            let connection = try Connection(path: path, mode: .read)
            schemaVersion = try Schema.version(of: connection)
            knownVersion = Schema.version
            isForeign = try Self.isForeign(connection)
            moveRefusal = try Schema.moveRefusal(schemaVersion, connection)
            damage = checksPages && !isForeign ? try Self.damage(connection) : nil
            if !isForeign, schemaVersion <= knownVersion { try Self.lock(path) }
        } catch {
            throw JobStoreError(error)
        }
    }

    private static func isForeign(_ connection: Connection) throws -> Bool {
        let isOurs = try connection.exists(
            "SELECT 1 FROM sqlite_schema WHERE name = 'job' AND type = 'table'")
        return try !isOurs && connection.exists("SELECT 1 FROM sqlite_schema")
    }

    /// Only a process that may write gets this lock.
    private static func lock(_ path: String) throws {
        try Connection(path: path, mode: .write).execute("BEGIN IMMEDIATE; ROLLBACK")
    }

    private static func damage(_ connection: Connection) throws -> String? {
        let answer = try connection.queryOne("PRAGMA quick_check(1)") { row in row.text(0) }
        return answer == "ok" ? nil : answer
    }
}
