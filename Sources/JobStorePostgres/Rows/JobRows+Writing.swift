import Jobs
import Postgres
import StoreRules

// Jobs go from table to table: what is left is deleted, what is entered is inserted, many in one statement.
extension WriteContext {
    func writeRows() throws {
        attempts.write(self)
        answers.write(self)
        writeChangedRows()
        writeDeletions()
        writeReleases()
    }

    private func writeChangedRows() {
        guard !rows.changed.isEmpty else { return }
        let (gone, new) = rows.takeChanges()
        for table in JobRow.Table.allCases {
            if let ids = gone[table] { run(.delete(from: table), [.integerArray(ids), .integer(ids.count)]) }
        }
        if let rows = new[.waiting] { run(.insertWaiting, rows.waitingColumns) }
        if let rows = new[.running] { run(.insertRunning, rows.runningColumns) }
        if let rows = new[.ended] { run(.insertEnded, rows.endedColumns(access)) }
    }
}

extension [JobRow] {
    private func columns(_ value: (JobRow) -> Int64?) -> Value { .integers(map(value)) }

    /// Of every place.
    private var common: [Value] {
        [
            columns(\.id), columns(\.lane), columns(\.attempt), columns(\.attemptsCounted),
            columns(\.failures), columns(\.crashCount), columns(\.position), .texts(map(\.cause)),
            .bools(map(\.skipsCoalescing)), columns(\.blame?.route),
            columns { $0.blame.map { Int64($0.mark) } }, columns(\.forgiven), columns(\.startedAt),
            columns(\.answer), columns(\.cost), .byteStrings(map(\.error)),
        ]
    }

    fileprivate var waitingColumns: [Value] {
        let holds = map { row -> (until: Int64?, hash: [UInt8]?) in
            if case .waiting(let until, let hash) = row.place { (until, hash) } else { (nil, nil) }
        }
        return common + [.integers(holds.map(\.until)), .byteStrings(holds.map(\.hash))]
    }

    fileprivate var runningColumns: [Value] { common + [.texts(map { $0.state.rawValue })] }

    /// One that had a place in the order of finishing keeps it.
    fileprivate func endedColumns(_ access: Access) -> [Value] {
        let places = map { row -> Int64 in
            guard row.finishOrder == nil else { return 0 }
            access.endedJobs += 1
            return access.endedJobs
        }
        return common + [
            .texts(map { $0.state.rawValue }), .texts(map(\.errorType)), columns(\.finishedAt),
            columns(\.finishOrder), .integers(places), .bools(map(\.isCached)), columns(\.saved),
        ]
    }
}

extension Statement {
    fileprivate static func delete(from table: JobRow.Table) -> Statement {
        switch table {
        case .waiting: deleteWaiting
        case .running: deleteRunning
        case .ended: deleteEnded
        }
    }

    /// Of jobs that stand where they were read, or else the transaction runs again.
    private static func deleteRead(_ table: String) -> String {
        """
        WITH gone AS (DELETE FROM \(table) WHERE job_id = ANY ($1::bigint[]) RETURNING job_id)
        SELECT \(failing(unless: "count(*) = $2::bigint")) FROM gone
        """
    }

    /// Provokes a division by zero: what was found is known here only with the commit.
    static func failing(unless condition: String) -> String {
        "CASE WHEN \(condition) THEN 0 ELSE 1 / (count(*) - count(*)) END"
    }

    private static let deleteWaiting = Statement(
        "delete-waiting", assembled: deleteRead("waiting"), [.bigints, .bigint], isKept: true)
    private static let deleteRunning = Statement(
        "delete-running", assembled: deleteRead("running"), [.bigints, .bigint], isKept: true)
    private static let deleteEnded = Statement(
        "delete-ended", assembled: deleteRead("ended"), [.bigints, .bigint], isKept: true)

    private static let commonColumns = """
        job_id, lane_id, attempt, attempts_counted, failures, crash_count, fallback, fallback_cause, skip_coalescing,
        blame_route_id, blame_mark, forgiven, started_at, answer_id, cost, error
        """
    private static let commonArrays = """
        $1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[],
        $9::boolean[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bytea[]
        """
    private static let commonTypes: [ValueType] = [
        .bigints, .bigints, .bigints, .bigints, .bigints, .bigints, .bigints, .texts, .bools, .bigints,
        .bigints, .bigints, .bigints, .bigints, .bigints, .byteas,
    ]
    private static func commonValues(_ source: String) -> String {
        commonColumns.split(separator: ",")
            .map { "\(source).\($0.filter { !$0.isWhitespace })" }.joined(separator: ", ")
    }

    fileprivate static let insertWaiting = Statement(
        "insert-waiting",
        assembled: """
            INSERT INTO waiting (
                \(commonColumns), held_until, held_hash, rank, cache, max_tokens, request_bytes, worst_input_tokens,
                worst_searches, cache_writes, max_cost, prompt_hash, prefix_hash, prefix_lifetime, deadline, batch_id, has_check
            )
            SELECT
                \(commonValues("new")), new.held_until, new.held_hash, job.rank, job.cache, job.max_tokens, job.request_bytes,
                job.worst_input_tokens, job.worst_searches, job.cache_writes, job.max_cost, job.prompt_hash, job.prefix_hash,
                job.prefix_lifetime, job.deadline, job.batch_id, job.has_check
            FROM unnest(\(commonArrays), $17::bigint[], $18::bytea[])
                AS new (\(commonColumns), held_until, held_hash)
            JOIN job ON job.id = new.job_id
            """, commonTypes + [.bigints, .byteas], isKept: true)

    fileprivate static let insertRunning = Statement(
        "insert-running",
        assembled: """
            INSERT INTO running (\(commonColumns), state)
            SELECT * FROM unnest(\(commonArrays), $17::text[])
            """, commonTypes + [.texts], isKept: true)

    /// The order of finishing is that of transactions, and within one that of the numbers given.
    fileprivate static let insertEnded = Statement(
        "insert-ended",
        assembled: """
            INSERT INTO ended (
                \(commonColumns), state, error_type, finished_at, finish_order, cached, saved, batch_id
            )
            SELECT
                \(commonValues("new")), new.state, new.error_type, new.finished_at,
                coalesce(
                    new.finish_order,
                    ((pg_current_xact_id()::text::bigint + (SELECT order_base FROM renga)) << 20) | new.place
                ),
                new.cached, new.saved, job.batch_id
            FROM unnest(
                \(commonArrays), $17::text[], $18::text[], $19::bigint[], $20::bigint[], $21::bigint[], $22::boolean[], $23::bigint[]
            ) AS new (\(commonColumns), state, error_type, finished_at, finish_order, place, cached, saved)
            JOIN job ON job.id = new.job_id
            """, commonTypes + [.texts, .texts, .bigints, .bigints, .bigints, .bools, .bigints], isKept: true)
}
