import Migrations
import Postgres

/// Reads rows from a PostgreSQL database, all of one moment if its transaction is a snapshot.
struct ServerReader: RowSource {
    private let transaction: Transaction

    /// Has the planner follow keys, or it would read a whole table for each portion.
    init(_ transaction: Transaction) throws {
        self.transaction = transaction
        try transaction.run([Call(.followKeys)])
    }

    static let newestVersion = Migration.postgres.last?.version ?? 0

    func checkSchema() throws {
        let found = Int(clamping: try transaction.run([Call(.version)])[0].first?.int64(0) ?? 0)
        try demand(Self.newestVersion, found: found, of: "the PostgreSQL database")
    }

    func count(of table: CopiedTable) throws -> Int {
        Int(try transaction.run([Call(.count([table.server.driver]))])[0][0].int64(0))
    }

    func lastPlace() throws -> Int64 {
        try transaction.run([Call(.lastPlace)])[0].first?.int64(0) ?? 0
    }

    func rows(of table: CopiedTable, after key: CopiedRow?, _ portion: Portion) throws -> [CopiedRow] {
        var arguments = Arguments()
        arguments.add(Int64(portion.rows))
        arguments.add(Int64(portion.bytes))
        for value in key ?? [] { arguments.add(value) }
        var rows: [CopiedRow] = []
        for row in try transaction.run([Call(table.selection(isFirst: key == nil), arguments)])[0] {
            let values = try table.values(of: row, columns: table.columns)
            try table.check(values, after: rows.last ?? key)
            rows.append(values)
        }
        return rows
    }

    func lastKey(of table: CopiedTable) throws -> CopiedRow? {
        try transaction.run([Call(table.lastKey)])[0].first.map { row in
            try table.values(of: row, columns: table.key)
        }
    }

    func checkParts(of table: CopiedTable) throws {
        guard !table.server.parts.isEmpty else { return }
        let counts = try transaction.run([
            Call(.count([table.server.driver])), Call(.count(table.server.parts)),
        ])
        let (rows, parts) = (try counts[0][0].int64(0), try counts[1][0].int64(0))
        guard rows == parts else {
            let names = table.server.parts.joined(separator: ", ")
            throw CopyError("the rows of \(names) are \(parts), those of \(table.server.driver) \(rows)")
        }
    }
}

extension TripLimits {
    /// Of a whole portion, or of one large row.
    static let long = TripLimits(milliseconds: 300_000, bytes: 512 << 20)
}

extension Statement {
    fileprivate static let followKeys = Statement(
        "copy-follow-keys",
        """
        SELECT set_config('jit', 'off', true), set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
            set_config('enable_seqscan', 'off', true)
        """)

    static let version = Statement("copy-version", "SELECT version FROM renga")

    /// No transaction that has begun gives a greater one.
    fileprivate static let lastPlace = Statement(
        "copy-last-place",
        "SELECT ((pg_snapshot_xmax(pg_current_snapshot())::text::bigint + order_base) << 20) - 1 FROM renga")

    fileprivate static func count(_ tables: [String]) -> Statement {
        let counts = tables.map { "(SELECT count(*) FROM \($0))" }
        return Statement("copy-count", assembled: "SELECT \(counts.joined(separator: " + "))")
    }
}

extension CopiedTable {
    /// What a portion's bytes are is known before they are read: it must fit into memory.
    fileprivate func selection(isFirst: Bool) -> Statement {
        let names = columns.map(\.name).joined(separator: ", ")
        let key = self.key.map { "\(server.driver).\($0.name)" }.joined(separator: ", ")
        let bounds = self.key.enumerated().map { "$\($0 + 3)::\($1.kind.type)" }.joined(separator: ", ")
        let sizes = columns.filter(\.kind.isLong).map { "coalesce(octet_length(\($0.name)), 0)" }
        return Statement(
            "copy-read",
            assembled: """
                SELECT \(names)
                FROM (
                    SELECT \(names), row_number() OVER before AS portion_row,
                        sum(\(sizes.isEmpty ? "0" : sizes.joined(separator: " + "))) OVER before AS portion_bytes
                    FROM (
                        SELECT * FROM \(server.driver)
                        \(isFirst ? "" : "WHERE (\(key)) > (\(bounds))")
                        ORDER BY \(key)
                        LIMIT $1::bigint
                    ) AS \(server.driver)
                    \(server.joined)
                    WINDOW before AS (ORDER BY \(key) ROWS UNBOUNDED PRECEDING)
                ) AS portion
                WHERE portion_row = 1 OR portion_bytes <= $2::bigint
                ORDER BY \(self.key.map(\.name).joined(separator: ", "))
                """, [.bigint, .bigint] + (isFirst ? [] : self.key.map(\.kind.valueType)))
    }

    fileprivate var lastKey: Statement {
        let names = key.map(\.name)
        let descending = names.map { "\($0) DESC" }.joined(separator: ", ")
        return Statement(
            "copy-last-key",
            assembled:
                "SELECT \(names.joined(separator: ", ")) FROM \(server.driver) ORDER BY \(descending) LIMIT 1"
        )
    }

    fileprivate func values(of row: Row, columns: [CopiedColumn]) throws -> CopiedRow {
        try columns.indices.map { index in
            switch columns[index].kind {
            case .integer: try row.int64OrNil(index).map { .integer($0) } ?? .null
            case .moment: try row.int64OrNil(index).map { .integer(MomentScale.limited($0)) } ?? .null
            // SQLite keeps no sign of a zero.
            case .real: try row.doubleOrNil(index).map { .real($0 == 0 ? 0 : $0) } ?? .null
            case .flag: try row.boolOrNil(index).map { .flag($0) } ?? .null
            case .text: try row.textOrNil(index).map { .text($0) } ?? .null
            case .bytes, .json: try row.bytesOrNil(index).map { .bytes($0) } ?? .null
            case .list:
                .integers(
                    try row.int64s(index).map { number in
                        guard let number else { throw CopyError("a list of \(name) holds a null") }
                        return number
                    })
            }
        }
    }
}

extension CopiedColumn.Kind {
    /// What may take much memory.
    var isLong: Bool { [.text, .bytes, .json].contains(self) }

    var type: String {
        switch self {
        case .integer, .moment: "bigint"
        case .real: "double precision"
        case .text, .list: "text"
        case .bytes, .json: "bytea"
        case .flag: "boolean"
        }
    }

    var valueType: ValueType {
        switch self {
        case .integer, .moment: .bigint
        case .real: .double
        case .text, .list: .text
        case .bytes, .json: .bytea
        case .flag: .bool
        }
    }
}

extension Arguments {
    fileprivate mutating func add(_ value: CopiedValue) {
        switch value {
        case .integer(let number): add(number)
        case .text(let text): add(text)
        case .bytes(let bytes): add(bytes)
        case .flag(let flag): add(flag)
        case .real, .integers, .null: preconditionFailure("no key has such a column")
        }
    }
}
