import Migrations
import SQLite

/// Reads rows from a SQLite file, all of one moment if its connection has a snapshot open.
struct FileReader: RowSource {
    private let connection: Connection
    private let scale: MomentScale

    init(_ connection: Connection, _ scale: MomentScale) {
        self.connection = connection
        self.scale = scale
    }

    static let newestVersion = Migration.sqlite.last?.version ?? 0

    static func version(of connection: Connection) throws -> Int {
        try connection.queryOne("PRAGMA user_version") { row in row.int(0) } ?? 0
    }

    func checkSchema() throws {
        try demand(Self.newestVersion, found: Self.version(of: connection), of: "the file")
    }

    func count(of table: CopiedTable) throws -> Int { Int(try count([table.file.driver])) }

    func lastPlace() throws -> Int64 {
        try connection.queryOne(
            """
            SELECT max(
                coalesce((SELECT max(finish_order) FROM job WHERE finish_order IS NOT NULL), 0),
                coalesce((SELECT place FROM finish_watermark), 0),
                coalesce((SELECT place FROM prune_floor), 0)
            )
            """
        ) { row in row.int64(0) } ?? 0
    }

    private struct IsFull: Error {}

    func rows(of table: CopiedTable, after key: CopiedRow?, _ portion: Portion) throws -> [CopiedRow] {
        var rows: [CopiedRow] = []
        var bytes = 0
        let values = [.integer(portion.rows)] + (key ?? []).map(Value.init(key:))
        do {
            try connection.forEach(table.selection(isFirst: key == nil), values) { row in
                var decoder = FileRowDecoder(table: table, scale: scale)
                let values = try decoder.values(of: row)
                bytes += values.reduce(0) { $0 + $1.size }
                guard rows.isEmpty || bytes <= portion.bytes else { throw IsFull() }
                try table.check(values, after: rows.last ?? key)
                rows.append(values)
            }
        } catch is IsFull {}
        return rows
    }

    func lastKey(of table: CopiedTable) throws -> CopiedRow? {
        let names = table.key.map { "\(table.file.driver).\($0.fileName)" }
        let descending = names.map { "\($0) DESC" }.joined(separator: ", ")
        let text =
            "SELECT \(names.joined(separator: ", ")) FROM \(table.file.driver) ORDER BY \(descending) LIMIT 1"
        return try connection.queryOne(SQL(text)) { row in
            var decoder = FileRowDecoder(table: table, scale: scale)
            return try decoder.key(of: row)
        }
    }

    func checkParts(of table: CopiedTable) throws {
        guard !table.file.parts.isEmpty else { return }
        let (rows, parts) = (try count([table.file.driver]), try count(table.file.parts))
        guard rows == parts else {
            let names = table.file.parts.joined(separator: ", ")
            throw CopyError("the rows of \(names) are \(parts), those of \(table.file.driver) \(rows)")
        }
    }

    private func count(_ tables: [String]) throws -> Int64 {
        let counts = tables.map { "(SELECT count(*) FROM \($0))" }
        let sum = SQL("SELECT \(counts.joined(separator: " + "))")
        return try connection.queryOne(sum) { row in row.int64(0) } ?? 0
    }
}

extension CopiedTable {
    fileprivate func selection(isFirst: Bool) -> SQL {
        let names = columns.flatMap { column -> [String] in
            let name = file.expressions[column.name] ?? column.fileName
            return if case .moment(let boot) = column.kind { [boot, name] } else { [name] }
        }
        let key = self.key.map { "\(file.driver).\($0.fileName)" }.joined(separator: ", ")
        let bounds = self.key.indices.map { "?\($0 + 2)" }.joined(separator: ", ")
        return SQL(
            """
            SELECT \(names.joined(separator: ", "))
            FROM \(file.driver) \(file.joined)
            \(isFirst ? "" : "WHERE (\(key)) > (\(bounds))")
            ORDER BY \(key)
            LIMIT ?1
            """)
    }
}

extension Value {
    fileprivate init(key value: CopiedValue) {
        switch value {
        case .integer(let number): self = .integer(number)
        case .text(let text): self = .text(text)
        case .bytes(let bytes): self = .blob(bytes)
        case .flag(let flag): self = .bool(flag)
        case .real, .integers, .null: preconditionFailure("no key has such a column")
        }
    }
}
