package import Jobs
import Postgres

extension PostgresJobStore {
    package func batch(_ id: BatchID) async throws -> Jobs.Batch? {
        try await read { access in try Batches.find(access, .batchByID, [.integer(id.value)]).first }
    }

    package func batch(named name: String) async throws -> Jobs.Batch? {
        try await read { access in try Batches.find(access, named: name) }
    }

    package func batches(before: BatchID?, limit: Int) async throws -> [Jobs.Batch] {
        try await read { access in
            try Batches.find(access, .batchList, [.integer(before?.value ?? .max), .integer(limit)])
        }
    }

    package func createBatch(name: String, metadata: [UInt8]?) async throws -> Jobs.Batch {
        try await write { context in
            if let batch = try Batches.find(context.access, named: name) { return batch }
            guard let id = try context.newJobIDs(1).first else {
                throw JobStoreError(.internal, "the database gave no number for a batch")
            }
            let now = context.now.timestamp
            context.run(
                .insertBatch,
                [.integer(id), .text(name), .bytes(metadata), .integer(now.milliseconds)])
            return Jobs.Batch(
                id: BatchID(id), name: name, metadata: metadata, createdAt: now, counts: StateCounts(),
                cost: .zero, saved: .zero)
        }
    }
}

/// Batches as people see them; those of the Message Batches API only once they are whole.
enum Batches {
    static func find(_ access: Access, named name: String) throws -> Jobs.Batch? {
        try find(access, .batchByName, [.text(name)]).first
    }

    fileprivate static func find(_ access: Access, _ statement: Statement, _ values: [Value]) throws -> [Jobs
        .Batch]
    {
        try access.query(statement, values).map { row in
            var batch = Jobs.Batch(
                id: BatchID(try row.int64(0)), name: try row.text(1), metadata: try row.bytesOrNil(2),
                createdAt: try row.timestamp(3), counts: StateCounts(),
                cost: Money(nanodollars: try row.int64(4)), saved: Money(nanodollars: try row.int64(5)),
                calls: try row.int(6), cacheHits: try row.int(7),
                unconfirmedCost: Money(nanodollars: try row.int64(8)))
            for (state, jobs) in zip(try row.texts(9), try row.int64s(10)) {
                guard let state = state.flatMap(JobState.init(rawValue:)), let jobs else { continue }
                batch.counts[state] = Int(jobs)
            }
            return batch
        }
    }

    fileprivate static let columns = """
        batch.id, batch.name, batch.metadata, batch.created_at, batch.cost, batch.saved, batch.calls, batch.cache_hits,
        batch.unconfirmed_cost,
        ARRAY(SELECT state FROM batch_tally WHERE batch_tally.batch_id = batch.id ORDER BY state),
        ARRAY(SELECT jobs FROM batch_tally WHERE batch_tally.batch_id = batch.id ORDER BY state)
        """
    fileprivate static let isWhole = """
        NOT EXISTS (SELECT 1 FROM message_batch WHERE message_batch.batch_id = batch.id AND NOT message_batch.open)
        """
}

extension Statement {
    fileprivate static let batchByID = Statement(
        "batch-by-id",
        assembled: """
            SELECT \(Batches.columns) FROM whole_batch AS batch WHERE id = $1::bigint AND \(Batches.isWhole)
            """,
        [.bigint], isKept: true)
    fileprivate static let batchByName = Statement(
        "batch-by-name",
        assembled: """
            SELECT \(Batches.columns) FROM whole_batch AS batch WHERE name = $1::text AND \(Batches.isWhole)
            """,
        [.text], isKept: true)
    fileprivate static let batchList = Statement(
        "batch-list",
        assembled: """
            SELECT \(Batches.columns)
            FROM whole_batch AS batch
            WHERE id < $1::bigint AND \(Batches.isWhole)
            ORDER BY id DESC
            LIMIT $2::bigint
            """, [.bigint, .bigint], isKept: true)
    fileprivate static let insertBatch = Statement(
        "insert-batch",
        """
        INSERT INTO batch (id, name, metadata, created_at)
        VALUES ($1::bigint, $2::text, $3::bytea, $4::bigint)
        """, .bigint, .text, .bytea, .bigint)
}
