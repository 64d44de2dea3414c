/// One step of the schema, as embedded in the binary.
package struct Migration: Sendable {
    package let version: Int
    /// Its file in the folder of its database's kind.
    package let file: String
    package let sql: [UInt8]

    package init(version: Int, file: String, sql: [UInt8]) {
        self.version = version
        self.file = file
        self.sql = sql
    }

    /// Every step of the SQLite schema, in order.
    ///
    /// A step that was shipped is never edited.
    package static let sqlite: [Migration] = [
        Migration(version: 1, file: "0001_initial.sql", sql: PackageResources._001_initial_sql)
    ]

    /// Every step of the PostgreSQL schema, in order.
    package static let postgres: [Migration] = [
        Migration(version: 1, file: "0001_first.sql", sql: PackageResources._001_first_sql)
    ]
}
