import Postgres

/// Writes rows into a PostgreSQL database, a portion in one transaction and one round trip.
struct ServerWriter {
    let connection: Connection

    init(_ connection: Connection) {
        self.connection = connection
    }

    func write(_ rows: [CopiedRow], of table: CopiedTable) throws {
        let calls = table.server.inserts.map { insert in
            var arguments = Arguments()
            for name in insert.given { arguments.add(rows, of: table, name) }
            return Call(table.statement(insert), arguments)
        }
        do {
            try connection.transaction(limits: .long) { transaction in try transaction.commit(calls) }
        } catch let error as PostgresError where error.state.hasPrefix("23") {
            let place = rows.count == 1 ? "" : ", or one of the \(rows.count - 1) rows behind it,"
            throw CopyError("\(table.describe(rows[0]))\(place) cannot be copied: \(error)")
        }
    }

    func lastKey(of table: CopiedTable) throws -> CopiedRow? {
        try connection.transaction(.snapshot) { transaction in
            try ServerReader(transaction).lastKey(of: table)
        }
    }
}

extension CopiedTable {
    fileprivate func statement(_ insert: Insert) -> Statement {
        let given = insert.given.map { (name: $0, kind: columns[index(of: $0)].kind) }
        let arrays = given.enumerated().map { "$\($0 + 1)::\($1.kind.type)[]" }
        let targets = insert.columns.map { insert.names[$0] ?? $0 }
        let values = insert.columns.map { columns[index(of: $0)].kind == .list ? "\($0)::bigint[]" : $0 }
        let changes = targets.map { "\($0) = excluded.\($0)" }.joined(separator: ", ")
        let key = self.key.map(\.name).joined(separator: ", ")
        return Statement(
            "copy-write",
            assembled: """
                INSERT INTO \(insert.table) (\(targets.joined(separator: ", ")))
                SELECT \(values.joined(separator: ", "))
                FROM unnest(\(arrays.joined(separator: ", "))) AS new (\(given.map(\.name).joined(separator: ", ")))
                WHERE \(insert.filter ?? "true")
                \(insert.replaces ? "ON CONFLICT (\(key)) DO UPDATE SET \(changes)" : "")
                """, given.map(\.kind.arrayType))
    }
}

extension Insert {
    /// What is sent of each row.
    fileprivate var given: [String] { columns + asked }
}

extension CopiedColumn.Kind {
    fileprivate var arrayType: ValueType {
        switch self {
        case .integer, .moment: .bigints
        case .real: .doubles
        // Lists as texts: an array of arrays has no two of different lengths.
        case .text, .list: .texts
        case .bytes, .json: .byteas
        case .flag: .bools
        }
    }
}

extension Arguments {
    fileprivate mutating func add(_ rows: [CopiedRow], of table: CopiedTable, _ name: String) {
        let index = table.index(of: name)
        let values = rows.map { $0[index] }
        switch table.columns[index].kind {
        case .integer, .moment: add(column: values.map(\.integer))
        case .real: add(column: values.map(\.real))
        case .flag: add(column: values.map(\.flag))
        case .text: add(column: values.map(\.text))
        case .bytes, .json: add(column: values.map(\.bytes))
        case .list: add(column: values.map(\.arrayText))
        }
    }
}

extension CopiedValue {
    fileprivate var integer: Int64? { if case .integer(let number) = self { number } else { nil } }
    fileprivate var real: Double? { if case .real(let number) = self { number } else { nil } }
    fileprivate var flag: Bool? { if case .flag(let flag) = self { flag } else { nil } }
    fileprivate var text: String? { if case .text(let text) = self { text } else { nil } }
    fileprivate var bytes: [UInt8]? { if case .bytes(let bytes) = self { bytes } else { nil } }

    /// An array as PostgreSQL reads it from text.
    fileprivate var arrayText: String? {
        guard case .integers(let numbers) = self else { return nil }
        return "{" + numbers.map(String.init).joined(separator: ",") + "}"
    }
}
