import Migrations
import Postgres

// The beginning and the end of a copy.
extension ServerWriter: RowTarget {
    /// The version below zero says that a copy has begun; its mark has the scale.
    func begin(_ mark: MoveMark) throws -> MomentScale {
        try makeSchema()
        return try connection.transaction { transaction in
            try transaction.run([Call(.turn)])
            let version = try Self.lockedVersion(transaction)
            guard version >= 0 else { return try begun(version, mark, transaction) }
            let hasRows = try transaction.run([Call(.hasRows)])[0].first?.bool(0)
            guard version == ServerReader.newestVersion, hasRows == false else {
                throw CopyError("the PostgreSQL database is in use already, and no copy that ended early")
            }
            try transaction.run(mark.writing + [Call(.turnVersion)])
            return mark.scale
        }
    }

    private func begun(_ version: Int, _ mark: MoveMark, _ transaction: Transaction) throws -> MomentScale {
        guard version == -ServerReader.newestVersion,
            let found = try MoveMark.find({ try transaction.run($0) })
        else { throw CopyError("the copy in the PostgreSQL database was begun by another version of renga") }
        guard found.state == .arriving, found.id == mark.id else {
            throw CopyError("the PostgreSQL database belongs to another move: \(found.command)")
        }
        return found.scale
    }

    private static func lockedVersion(_ transaction: Transaction) throws -> Int {
        Int(clamping: try transaction.run([Call(.lockedVersion)])[0].first?.int64(0) ?? 0)
    }

    /// Says of a whole database how its rows stand; no store writes to it from then on, as each transaction asks for the version.
    ///
    /// The closure throws if that may not be said; nobody writes while it asks. Throws if another move has said so before.
    func mark(_ mark: MoveMark, unless isHindered: (Transaction) throws -> Void = { _ in }) throws {
        try connection.transaction { transaction in
            try transaction.run([Call(.turn)])
            try isHindered(transaction)
            let isMarked = try Self.lockedVersion(transaction) < 0
            if isMarked { try mark.demandSame(MoveMark.find { try transaction.run($0) }) }
            try transaction.run(
                (isMarked ? [Call(.dropMark)] : []) + mark.writing
                    + (isMarked ? [] : [Call(.turnVersion)]))
        }
    }

    /// Takes the mark away; stores open it from then on.
    func unmark() throws {
        try connection.run([Call(.dropMark), Call(.finishCopy)])
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

    func count() throws -> Int {
        try connection.transaction(.snapshot, limits: .long) { transaction in
            try ServerReader(transaction).count()
        }
    }

    func sums(_ onPortion: (CopiedTable, Int) -> Void) throws -> [TableSum] {
        try connection.transaction(.snapshot, limits: .long) { transaction in
            try ServerReader(transaction).sums(onPortion)
        }
    }

    /// Its planner knows nothing of the rows yet.
    func finish() throws {
        try connection.run([Call(.analyze)], limits: .long)
        try unmark()
    }
}

extension Statement {
    fileprivate static let hasSchema = Statement("copy-has-schema", "SELECT to_regclass('renga') IS NOT NULL")
    fileprivate static let lockedVersion = Statement("copy-lock", "SELECT version FROM renga FOR UPDATE")
    /// One writing transaction of any store at a time; see `Opening` of the store.
    fileprivate static let turn = Statement(
        "copy-turn", "SELECT pg_advisory_xact_lock(7464, 1)::text IS NULL")
    fileprivate static let turnVersion = Statement("copy-turn-version", "UPDATE renga SET version = -version")
    fileprivate static let finishCopy = Statement("copy-finish", "UPDATE renga SET version = abs(version)")

    fileprivate static var analyze: Statement {
        let tables = CopiedTable.all.flatMap { $0.server.inserts.map(\.table) }
        return Statement("copy-analyze", assembled: "ANALYZE \(tables.joined(separator: ", "))")
    }

    static var hasRows: Statement {
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
