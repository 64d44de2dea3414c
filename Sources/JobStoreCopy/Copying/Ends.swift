import Migrations

/// How much is read at once: whatever comes first, but one row at least.
struct Portion: Sendable {
    var rows = 1_000
    /// As the values' sizes add up.
    var bytes = 4 << 20
}

/// A database that rows are read from; what it says is of one moment.
protocol RowSource {
    /// Throws if it is no whole database of this renga's schema.
    func checkSchema() throws

    /// Throws if rows stand where they would not be read.
    func checkParts(of table: CopiedTable) throws

    /// The next rows in the order of the key; none behind the last. Each value is checked.
    func rows(of table: CopiedTable, after key: CopiedRow?, _ portion: Portion) throws -> [CopiedRow]

    /// How many rows there are.
    func count(of table: CopiedTable) throws -> Int

    /// The greatest place in the order of finishing that was ever given, or may have been.
    func lastPlace() throws -> Int64
}

/// A database that rows are written into.
protocol RowTarget {
    /// Says that a copy has begun, from when on no store opens it; throws if it holds something else than what the same copy, unfinished,
    /// has left.
    ///
    /// Returns the scale to go by: that of the copy which is taken up again, as its rows are there already.
    mutating func begin(_ mark: MoveMark) throws -> MomentScale

    /// The greatest key there is; nil if there are no rows.
    func lastKey(of table: CopiedTable) throws -> CopiedRow?

    /// In one transaction; rows of a portion that failed are not there.
    func write(_ rows: [CopiedRow], of table: CopiedTable) throws

    /// How many rows there are, in all tables.
    func count() throws -> Int

    /// What each table's rows come to; `onPortion` hears how many were read.
    func sums(_ onPortion: (CopiedTable, Int) -> Void) throws -> [TableSum]

    /// Has new rows numbered behind those that were written, and jobs finish behind that place.
    func prepareNumbers(after place: Int64) throws

    /// Says that the copy is whole.
    func finish() throws
}

extension RowSource {
    func checkParts() throws {
        for table in CopiedTable.all { try checkParts(of: table) }
    }

    /// In all tables.
    func count() throws -> Int {
        try CopiedTable.all.reduce(0) { sum, table in sum + (try count(of: table)) }
    }

    /// Throws if a database of that schema version is none that can be copied.
    func demand(_ newest: Int, found: Int, of name: String) throws(CopyError) {
        guard found >= 0 else { throw CopyError("\(name) is itself a copy that is not whole yet") }
        guard found == newest else {
            throw CopyError("\(name) has schema version \(found), this renga copies version \(newest)")
        }
    }

    /// All rows behind a key, portion by portion.
    func forEachPortion(
        of table: CopiedTable, after key: CopiedRow? = nil, _ portion: Portion,
        _ body: ([CopiedRow]) throws -> Void
    ) throws {
        var key = key
        while true {
            let rows = try rows(of: table, after: key, portion)
            guard let last = rows.last else { return }
            try body(rows)
            key = Array(last[..<table.keyCount])
        }
    }

    /// What each table's rows come to; `onPortion` hears how many were read.
    func sums(_ onPortion: (CopiedTable, Int) -> Void = { _, _ in }) throws -> [TableSum] {
        try CopiedTable.all.map { table in
            var sum = RowSum()
            try forEachPortion(of: table, Portion()) { rows in
                sum.add(rows)
                onPortion(table, rows.count)
            }
            return sum.finish(table)
        }
    }
}
