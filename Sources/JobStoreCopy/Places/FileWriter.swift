import Migrations
import SQLite
import System

/// Writes rows into a SQLite file through its writer, and blocks its thread meanwhile.
struct FileWriter: RowTarget {
    private let writer: Writer
    private var scale = MomentScale.same

    /// Makes the file if there is none.
    init(path: String) throws {
        writer = try Writer(path: path)
    }

    /// Returns once all is on disk and the file is closed.
    func close() async { await writer.close() }

    /// The version below zero says that a copy has begun; a table of its own has the scale.
    mutating func begin(_ scale: MomentScale) throws -> MomentScale {
        self.scale = try write { connection in
            guard try FileReader.version(of: connection) >= 0 else { return try Self.begun(connection) }
            guard try !connection.exists("SELECT 1 FROM sqlite_schema") else {
                throw CopyError("the file is a database already, and no copy that ended early")
            }
            for step in Migration.sqlite { try connection.execute(String(decoding: step.sql, as: UTF8.self)) }
            try connection.execute(
                "CREATE TABLE copy_scale (boot INTEGER NOT NULL, difference INTEGER NOT NULL) STRICT")
            try connection.run(
                "INSERT INTO copy_scale (boot, difference) VALUES (?1, ?2)",
                [.integer(scale.boot), .integer(scale.difference)])
            try connection.execute("PRAGMA user_version = \(-FileReader.newestVersion)")
            return scale
        }
        return self.scale
    }

    private static func begun(_ connection: Connection) throws -> MomentScale {
        let scale =
            try FileReader.version(of: connection) == -FileReader.newestVersion
            ? connection.queryOne("SELECT boot, difference FROM copy_scale") { row in
                MomentScale(boot: row.int64(0), difference: row.int64(1))
            } : nil
        guard let scale else { throw CopyError("the copy in the file was begun by another version of renga") }
        return scale
    }

    func lastKey(of table: CopiedTable) throws -> CopiedRow? {
        try write { connection in try FileReader(connection, scale).lastKey(of: table) }
    }

    /// Ids follow the greatest by themselves.
    func prepareNumbers(after place: Int64) throws {
        try write { connection in
            _ = try connection.run(
                """
                INSERT INTO finish_watermark (id, place)
                VALUES (1, ?1)
                ON CONFLICT (id) DO UPDATE SET place = max(place, excluded.place)
                """, [.integer(place)])
        }
    }

    func sums() throws -> [TableSum] {
        try write { connection in try FileReader(connection, scale).sums() }
    }

    func finish() throws {
        try write(isSynced: true) { connection in
            try connection.execute(
                "DROP TABLE copy_scale; PRAGMA user_version = \(FileReader.newestVersion)")
        }
    }

    func write(_ rows: [CopiedRow], of table: CopiedTable) throws {
        let inserts = table.file.inserts.map { FileInsert($0, of: table) }
        try write { [scale] connection in
            for row in rows {
                do {
                    for insert in inserts { try connection.run(insert.sql, insert.values(of: row, scale)) }
                } catch let error as SQLiteError where error.primaryCode == SQLiteError.constraint {
                    throw CopyError("\(table.describe(row)) cannot be copied: \(error.message)")
                }
            }
        }
    }

    /// One sync at the end is for all: what a power cut takes away before is copied again.
    private func write<T: Sendable>(
        isSynced: Bool = false, _ operation: @escaping @Sendable (Connection) throws -> T
    ) throws -> T {
        let answer = try Mailbox<Result<T, any Error>>(.semaphore)
        writer.submit(syncing: .when { _ in isSynced }, operation) { answer.post($0) }
        guard let result = answer.take(atMost: 1)?.first else { throw CopyError("the file's writer is gone") }
        return try result.get()
    }
}
