import SQLite

/// A statement that writes what of a row goes into one table, and how its parameters are taken from the row.
struct FileInsert: Sendable {
    private enum Source {
        case value(Int, CopiedColumn.Kind)
        case boot(of: Int)
        case moment(Int)
    }

    let sql: SQL
    /// Of the columns that are written.
    let names: [String]
    private let sources: [Source]

    init(_ insert: Insert, of table: CopiedTable) {
        var parts: [(name: String, source: Source)] = []
        for name in insert.columns {
            let index = table.index(of: name)
            let column = table.columns[index]
            let target = insert.names[name] ?? column.fileName
            if case .moment(let boot) = column.kind {
                parts += [(boot, .boot(of: index)), (target, .moment(index))]
            } else {
                parts.append((target, .value(index, column.kind)))
            }
        }
        for (name, time) in insert.moments.sorted(by: { $0.key < $1.key }) {
            parts.append((name, .moment(table.index(of: time))))
        }
        sources = parts.map(\.source)
        names = parts.map(\.name)
        sql = SQL(Self.text(insert, of: table, names))
    }

    private static func text(_ insert: Insert, of table: CopiedTable, _ names: [String]) -> String {
        let numbers = names.indices.map { "?\($0 + 1)" }
        var text = "INSERT INTO \(insert.table) (\(names.joined(separator: ", "))) "
        if let filter = insert.filter {
            let given = zip(numbers, insert.columns).map { "\($0) AS \($1)" }
            let written = insert.columns.map { insert.expressions[$0] ?? $0 }
            text += "SELECT \(written.joined(separator: ", ")) FROM (SELECT \(given.joined(separator: ", ")))"
            text += " WHERE \(filter)"
        } else {
            text += "VALUES (\(numbers.joined(separator: ", ")))"
        }
        guard insert.replaces else { return text }
        let key = table.key.map(\.name).joined(separator: ", ")
        let changes = names.map { "\($0) = excluded.\($0)" }
        return text + " ON CONFLICT (\(key)) DO UPDATE SET \(changes.joined(separator: ", "))"
    }

    func values(of row: CopiedRow, _ scale: MomentScale) -> [Value] {
        sources.map { source in
            switch source {
            case .value(let index, let kind): Value(row[index], kind)
            case .boot(let index): row[index] == .null ? .null : .integer(scale.boot)
            case .moment(let index):
                if case .integer(let milliseconds) = row[index] {
                    .integer(scale.inFile(milliseconds))
                } else {
                    .null
                }
            }
        }
    }
}

extension Value {
    fileprivate init(_ value: CopiedValue, _ kind: CopiedColumn.Kind) {
        self =
            switch value {
            case .null: .null
            case .integer(let number): .integer(number)
            case .real(let number): .real(number)
            case .flag(let flag): .bool(flag)
            case .text(let text): .text(text)
            case .bytes(let bytes): kind == .json ? .utf8(bytes) : .blob(bytes)
            case .integers(let numbers):
                .text(numbers.isEmpty ? nil : CopiedValue.listText(numbers))
            }
    }
}
