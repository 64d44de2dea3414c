import Migrations
import Postgres

// The beginning and the end of a copy.
extension ServerWriter: RowTarget {
    /// The version below zero says that a copy has begun; a table of its own has the scale.
    func begin(_ scale: MomentScale) throws -> MomentScale {
        try makeSchema()
        return try connection.transaction { transaction in
            let version = Int(clamping: try transaction.run([Call(.lockedVersion)])[0].first?.int64(0) ?? 0)
            guard version >= 0 else { return try begun(version, transaction) }
            let hasRows = try transaction.run([Call(.hasRows)])[0].first?.bool(0)
            guard version == ServerReader.newestVersion, hasRows == false else {
                throw CopyError("the PostgreSQL database is in use already, and no copy that ended early")
            }
            var arguments = Arguments()
            arguments.add(scale.boot)
            arguments.add(scale.difference)
            try transaction.run([Call(.makeScale), Call(.keepScale, arguments), Call(.beginCopy)])
            return scale
        }
    }

    private func begun(_ version: Int, _ transaction: Transaction) throws -> MomentScale {
        guard version == -ServerReader.newestVersion, let row = try transaction.run([Call(.scale)])[0].first
        else { throw CopyError("the copy in the PostgreSQL database was begun by another version of renga") }
        return MomentScale(boot: try row.int64(0), difference: try row.int64(1))
    }

    private func makeSchema() throws {
        guard try connection.run([Call(.hasSchema)])[0].first?.bool(0) == false else { return }
        for step in Migration.postgres {
            try connection.execute(script: String(decoding: step.sql, as: UTF8.self))
        }
    }

    func prepareNumbers(after place: Int64) throws {
        // Up to which numbers of transactions, shifted, can follow for ever.
        guard place < 1 << 62 else {
            throw CopyError("place \(place) in the order of finishing is greater than any that time gives")
        }
        var arguments = Arguments()
        arguments.add((place >> 20) + 1)
        try connection.run(
            [Call(.raiseOrder, arguments), Call(.raiseJobs)] + Statement.raiseNumbers.map { Call($0) })
    }

    func sums() throws -> [TableSum] {
        try connection.transaction(.snapshot, limits: .long) { transaction in
            try ServerReader(transaction).sums()
        }
    }

    /// Its planner knows nothing of the rows yet.
    func finish() throws {
        try connection.run([Call(.analyze), Call(.dropScale), Call(.finishCopy)], limits: .long)
    }
}

extension Statement {
    fileprivate static let hasSchema = Statement("copy-has-schema", "SELECT to_regclass('renga') IS NOT NULL")
    fileprivate static let lockedVersion = Statement("copy-lock", "SELECT version FROM renga FOR UPDATE")
    fileprivate static let beginCopy = Statement("copy-begin", "UPDATE renga SET version = -version")
    // Not kept, as a table that was dropped and made anew is another one.
    fileprivate static let makeScale = Statement(
        "copy-make-scale",
        assembled: "CREATE TABLE copy_scale (boot bigint NOT NULL, difference bigint NOT NULL)")
    fileprivate static let keepScale = Statement(
        "copy-keep-scale",
        assembled: "INSERT INTO copy_scale (boot, difference) VALUES ($1::bigint, $2::bigint)",
        [.bigint, .bigint])
    fileprivate static let scale = Statement(
        "copy-scale", assembled: "SELECT boot, difference FROM copy_scale")
    fileprivate static let dropScale = Statement("copy-drop-scale", assembled: "DROP TABLE copy_scale")
    fileprivate static let finishCopy = Statement("copy-finish", "UPDATE renga SET version = abs(version)")

    fileprivate static var analyze: Statement {
        let tables = CopiedTable.all.flatMap { $0.server.inserts.map(\.table) }
        return Statement("copy-analyze", assembled: "ANALYZE \(tables.joined(separator: ", "))")
    }

    fileprivate static var hasRows: Statement {
        let tables = CopiedTable.all.filter { !$0.isSeeded }
            .flatMap { table in table.server.inserts.map { "EXISTS (SELECT 1 FROM \($0.table))" } }
        return Statement("copy-has-rows", assembled: "SELECT \(tables.joined(separator: " OR "))")
    }

    /// Numbers of transactions begin anew in each cluster.
    fileprivate static let raiseOrder = Statement(
        "copy-raise-order",
        "UPDATE renga SET order_base = greatest(order_base, $1::bigint - pg_current_xact_id()::text::bigint)",
        .bigint)

    /// The low part of a number that is given next, should it be in the same millisecond.
    fileprivate static let raiseJobs = Statement(
        "copy-raise-jobs",
        """
        SELECT setval('job_low', greatest((SELECT max(id) FROM job), (SELECT max(id) FROM batch), 0) & 1048575)
        """)

    fileprivate static let raiseNumbers = CopiedTable.numbered.map { table in
        Statement(
            "copy-raise-numbers",
            assembled: """
                SELECT setval(pg_get_serial_sequence('\(table)', 'id'), greatest(max(id), 1), max(id) >= 1) FROM \(table)
                """)
    }
}
