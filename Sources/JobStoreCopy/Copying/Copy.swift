import CrashPoint

/// Rows on their way from one database into another.
struct Copy {
    let source: any RowSource
    let target: any RowTarget
    var portion = Portion()
    /// Told of each portion that was written: its table, and how many rows it had.
    var onPortion: (CopiedTable, Int) -> Void = { _, _ in }

    /// Goes on where an earlier copy ended: rows are written in the order of their keys.
    ///
    /// The target has begun before, and is not whole until it is finished.
    func run() throws {
        for table in CopiedTable.all { try run(table) }
        try target.prepareNumbers(after: source.lastPlace())
    }

    private func run(_ table: CopiedTable) throws {
        // Few rows, of which some stand there from the beginning.
        let key = table.isSeeded ? nil : try target.lastKey(of: table)
        try source.forEachPortion(of: table, after: key, portion) { rows in
            try target.write(rows, of: table)
            onPortion(table, rows.count)
            crashPoint("move-portion")
        }
    }

    /// Throws the first table whose rows are not the same in both.
    static func compare(_ source: [TableSum], _ target: [TableSum]) throws(CopyError) {
        for (a, b) in zip(source, target) where a != b {
            throw CopyError(
                "the rows of \(a.table) are not the same: \(a.rows) with checksum \(a.checksum.prefix(12)) in the source, "
                    + "\(b.rows) with \(b.checksum.prefix(12)) in the target")
        }
    }
}
