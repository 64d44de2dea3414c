package import Jobs
import SQLite

/// A copy in the place of a database: what it is, and where the former one went.
package struct Restoration: Sendable {
    package let schemaVersion: Int
    package let jobs: Int
    /// Whether the copy was made by copying a file in use, without what its log held.
    package let wasInUse: Bool
    /// What the former database is called now; nil if there was none, or nothing was changed.
    package let kept: String?

    /// Examines the file whole, then puts a copy of it in the database's place, and keeps the former one under a dated name.
    ///
    /// With `isTrial` nothing is changed. Throws `JobStoreError` if the file is no sound database of renga's, or any process
    /// has the database open.
    package init(
        of database: String, by file: String, isTrial: Bool, fileMode: UInt32 = DatabaseFile.standardMode,
        at time: Timestamp
    ) throws {
        do {
            let replacement = try Replacement(of: database, by: file, mode: fileMode)
            let content = try Content(replacement.staged, named: file)
            (schemaVersion, jobs, wasInUse) = (content.schemaVersion, content.jobs, replacement.wasInUse)
            kept = isTrial ? nil : try replacement.takePlace(at: Self.name(of: time))
        } catch {
            throw JobStoreError(error)
        }
    }

    /// `20261128T221500Z`, which any file system takes.
    private static func name(of time: Timestamp) -> String {
        time.text.prefix { $0 != "." }.filter { $0 != "-" && $0 != ":" && $0 != "Z" } + "Z"
    }
}

private struct Content {
    let schemaVersion: Int
    let jobs: Int

    init(_ path: String, named name: String) throws {
        let connection = try Connection(path: path, mode: .sole)
        schemaVersion = try Schema.checkKnown(connection)
        guard try connection.exists("SELECT 1 FROM sqlite_schema WHERE name = 'job' AND type = 'table'")
        else { throw JobStoreError(.unsuitable, "\(name) is no database of renga's") }
        jobs = try connection.queryOne("SELECT count(*) FROM job") { row in row.int(0) } ?? 0
    }
}
