import Migrations
import SQLite
import System

/// Writes rows into a SQLite file through its writer, and blocks its thread meanwhile.
struct FileWriter: RowTarget {
    private let path: String
    private let writer: Writer
    private var scale = MomentScale.same

    /// Makes the file if there is none.
    init(path: String) throws {
        self.path = path
        writer = try Writer(path: path)
    }

    /// Returns once all is on disk and the file is closed.
    func close() async { await writer.close() }

    /// The version below zero says that a copy has begun; its mark has the scale.
    mutating func begin(_ mark: MoveMark) throws -> MomentScale {
        let scale = try write { connection in
            guard try FileReader.version(of: connection) >= 0 else {
                return try Self.begun(mark, connection)
            }
            guard try !connection.exists("SELECT 1 FROM sqlite_schema") else {
                throw CopyError("the file is a database already, and no copy that ended early")
            }
            for step in Migration.sqlite { try connection.execute(String(decoding: step.sql, as: UTF8.self)) }
            try mark.write(to: connection)
            try connection.execute("PRAGMA user_version = \(-FileReader.newestVersion)")
            return mark.scale
        }
        self.scale = scale
        return scale
    }

    private static func begun(_ mark: MoveMark, _ connection: Connection) throws -> MomentScale {
        guard try FileReader.version(of: connection) == -FileReader.newestVersion,
            let found = try MoveMark.find(in: connection)
        else { throw CopyError("the copy in the file was begun by another version of renga") }
        guard found.state == .arriving, found.id == mark.id else {
            throw CopyError("the file belongs to another move: \(found.command)")
        }
        return found.scale
    }

    /// Says of a whole database how its rows stand; no store opens it from then on.
    ///
    /// Throws if another move has said so before.
    func mark(_ mark: MoveMark) throws {
        try write(isSynced: true) { connection in
            let version = try FileReader.version(of: connection)
            if version < 0 {
                try mark.demandSame(MoveMark.find(in: connection))
                try connection.execute("DROP TABLE move_mark")
            }
            try mark.write(to: connection)
            try connection.execute("PRAGMA user_version = \(-abs(version))")
        }
    }

    func lastKey(of table: CopiedTable) throws -> CopiedRow? {
        try write { connection in try FileReader(connection, scale).lastKey(of: table) }
    }

    /// Ids follow the greatest by themselves; all rows are on disk afterwards.
    func prepareNumbers(after place: Int64) throws {
        try write(isSynced: true) { connection in
            _ = try connection.run(
                """
                INSERT INTO finish_watermark (id, place)
                VALUES (1, ?1)
                ON CONFLICT (id) DO UPDATE SET place = max(place, excluded.place)
                """, [.integer(place)])
        }
    }

    func count() throws -> Int {
        try write { connection in try FileReader(connection, scale).count() }
    }

    func sums(_ onPortion: (CopiedTable, Int) -> Void) throws -> [TableSum] {
        let connection = try Connection(path: path, mode: .read)
        return try connection.snapshot { try FileReader(connection, scale).sums(onPortion) }
    }

    /// Takes the mark away; stores open it from then on.
    func finish() throws {
        try write(isSynced: true) { connection in
            let version = abs(try FileReader.version(of: connection))
            try connection.execute("DROP TABLE move_mark; PRAGMA user_version = \(version)")
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

    /// The syncs at the end are for all: what a power cut takes away before is copied again.
    private func write<T: Sendable>(
        isSynced: Bool = false, _ operation: @escaping @Sendable (Connection) throws -> T
    ) throws -> T {
        let answer = try Mailbox<Result<T, any Error>>(.semaphore)
        writer.submit(syncing: .when { _ in isSynced }, operation) { answer.post($0) }
        guard let result = answer.take(atMost: 1)?.first else { throw CopyError("the file's writer is gone") }
        return try result.get()
    }
}
