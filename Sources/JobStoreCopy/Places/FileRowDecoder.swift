import SQLite

/// Reads the values of one row of a SQLite file, and throws what none of its columns may hold.
struct FileRowDecoder {
    private let table: CopiedTable
    private let scale: MomentScale
    private var place = 0
    private var values: CopiedRow = []

    init(table: CopiedTable, scale: MomentScale) {
        self.table = table
        self.scale = scale
    }

    mutating func values(of row: borrowing Row) throws(CopyError) -> CopiedRow {
        for column in table.columns { values.append(try value(of: column, in: row)) }
        return values
    }

    mutating func key(of row: borrowing Row) throws(CopyError) -> CopiedRow {
        for column in table.key { values.append(try value(of: column, in: row)) }
        return values
    }

    private mutating func value(of column: CopiedColumn, in row: borrowing Row) throws(CopyError)
        -> CopiedValue
    {
        let first = place
        place += 1
        if case .moment = column.kind {
            place += 1
            guard let boot = try integer(first, column, row), let moment = try integer(first + 1, column, row)
            else {
                return .null
            }
            return .integer(scale.inDatabase(moment, ofBoot: boot))
        }
        switch (column.kind, row.storage(first)) {
        case (.list, .null): return .integers([])
        case (_, .null): return .null
        case (.integer, .integer): return .integer(row.int64(first))
        case (.flag, .integer): return .flag(try flag(row.int64(first), column))
        case (.real, .real), (.real, .integer):
            let number = row.double(first)
            return .real(number == 0 ? 0 : number)
        case (.bytes, .blob), (.json, .text): return .bytes(row.blob(first))
        case (.text, .text): return .text(try text(row.blob(first), column))
        case (.list, .text): return .integers(try list(row.blob(first), column))
        default: throw table.defect(values, column, "is of another type than its column")
        }
    }

    private func integer(_ place: Int, _ column: CopiedColumn, _ row: borrowing Row) throws(CopyError)
        -> Int64?
    {
        switch row.storage(place) {
        case .null: return nil
        case .integer: return row.int64(place)
        default: throw table.defect(values, column, "is of another type than its column")
        }
    }

    private func flag(_ number: Int64, _ column: CopiedColumn) throws(CopyError) -> Bool {
        guard 0...1 ~= number else { throw table.defect(values, column, "is neither 0 nor 1") }
        return number == 1
    }

    private func text(_ bytes: [UInt8], _ column: CopiedColumn) throws(CopyError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw table.defect(values, column, "is no text")
        }
        return column.isQuoting && bytes.contains(0)
            ? String(text.map { $0 == "\0" ? "\u{FFFD}" : $0 }) : text
    }

    /// Numbers with a comma before and behind each.
    private func list(_ bytes: [UInt8], _ column: CopiedColumn) throws(CopyError) -> [Int64] {
        let text = String(decoding: bytes, as: UTF8.self)
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).dropFirst().dropLast()
            .map { Int64($0) }
        let found = numbers.compactMap(\.self)
        guard !found.isEmpty, CopiedValue.listText(found) == text else {
            throw table.defect(values, column, "is no list of numbers")
        }
        return found
    }
}
