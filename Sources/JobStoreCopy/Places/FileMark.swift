import Migrations
import SQLite

extension MoveMark {
    /// Nil if there is none, or none that this renga knows.
    static func find(in connection: Connection) throws -> MoveMark? {
        guard try connection.exists("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'move_mark'")
        else { return nil }
        let mark = try connection.queryOne(SQL("SELECT \(columns) FROM move_mark")) { row in
            State(rawValue: row.text(0)).map { state in
                MoveMark(
                    state, id: row.int64(1), source: row.text(2), target: row.text(3), begunAt: row.int64(4),
                    boot: row.int64(5), difference: row.int64(6))
            }
        }
        return mark ?? nil
    }

    /// Into a table that is made for it.
    func write(to connection: Connection) throws {
        try connection.execute(Self.fileTable)
        try connection.run(
            SQL("INSERT INTO move_mark (\(Self.columns)) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"),
            [
                .text(state.rawValue), .integer(id), .text(source), .text(target), .integer(begunAt),
                .integer(boot), .integer(difference),
            ])
    }

    /// Throws if a database was marked in another move than this.
    func demandSame(_ found: MoveMark?) throws(CopyError) {
        guard found?.id != id else { return }
        throw CopyError(
            "another move of \(source) has begun meanwhile: \(found?.command ?? "it has no mark")")
    }

    var scale: MomentScale { MomentScale(boot: boot, difference: difference) }
}
