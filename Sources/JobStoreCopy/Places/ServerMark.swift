import Migrations
import Postgres

extension MoveMark {
    /// Nil if there is none, or none that this renga knows.
    static func find(_ ask: ([Call]) throws -> [Rows]) throws -> MoveMark? {
        guard try ask([Call(.hasMoveMark)])[0].first?.bool(0) == true,
            let row = try ask([Call(.findMark)])[0].first, let state = State(rawValue: try row.text(0))
        else { return nil }
        return MoveMark(
            state, id: try row.int64(1), source: try row.text(2), target: try row.text(3),
            begunAt: try row.int64(4), boot: try row.int64(5), difference: try row.int64(6))
    }

    /// Makes the table for it.
    var writing: [Call] {
        var arguments = Arguments()
        arguments.add(state.rawValue)
        arguments.add(id)
        arguments.add(source)
        arguments.add(target)
        for number in [begunAt, boot, difference] { arguments.add(number) }
        return [Call(.makeMark), Call(.writeMark, arguments)]
    }
}

// None is kept, as a table that was dropped and made anew is another one.
extension Statement {
    fileprivate static let hasMoveMark = Statement(
        "copy-has-mark", assembled: "SELECT to_regclass('move_mark') IS NOT NULL")
    fileprivate static let findMark = Statement(
        "copy-find-mark", assembled: "SELECT \(MoveMark.columns) FROM move_mark")
    fileprivate static let makeMark = Statement("copy-make-mark", assembled: MoveMark.serverTable)
    fileprivate static let writeMark = Statement(
        "copy-write-mark",
        assembled: """
            INSERT INTO move_mark (\(MoveMark.columns))
            VALUES ($1::text, $2::bigint, $3::text, $4::text, $5::bigint, $6::bigint, $7::bigint)
            """, [.text, .bigint, .text, .text, .bigint, .bigint, .bigint])
    static let dropMark = Statement("copy-drop-mark", assembled: "DROP TABLE move_mark")
}
