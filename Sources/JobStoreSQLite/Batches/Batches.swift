package import Jobs
import SQLite

extension SQLiteJobStore {
    package func batch(_ id: BatchID) async throws -> Batch? {
        try await read { connection in
            try Batches.find(connection, "WHERE id = ?1", [.integer(id.value)], limit: 1).first
        }
    }

    package func batch(named name: String) async throws -> Batch? {
        try await read { connection in try Batches.find(connection, name: name) }
    }

    package func batches(before: BatchID?, limit: Int) async throws -> [Batch] {
        try await read { connection in
            try Batches.find(connection, "WHERE id < ?1", [.integer(before?.value ?? .max)], limit: limit)
        }
    }
}

enum Batches {
    static func find(_ connection: Connection, name: String) throws -> Batch? {
        try find(connection, "WHERE name = ?1", [.text(name)], limit: 1).first
    }

    static func find(_ connection: Connection, _ clause: String, _ values: [Value], limit: Int) throws
        -> [Batch]
    {
        let sql = SQL(
            """
            SELECT id, name, metadata, created_at, cost, saved, calls, cache_hits, unconfirmed_cost
            FROM batch
            \(clause) AND NOT EXISTS (
                SELECT 1 FROM message_batch WHERE message_batch.batch_id = batch.id AND open = 0
            )
            ORDER BY id DESC
            LIMIT \(limit)
            """)
        var batches = try connection.query(sql, values) { row in
            Batch(
                id: BatchID(row.int64(0)), name: row.text(1), metadata: row.blobOrNil(2),
                createdAt: Timestamp(milliseconds: row.int64(3)), counts: StateCounts(),
                cost: Money(nanodollars: row.int64(4)), saved: Money(nanodollars: row.int64(5)),
                calls: row.int(6), cacheHits: row.int(7), unconfirmedCost: Money(nanodollars: row.int64(8)))
        }
        for index in batches.indices {
            try connection.forEach(
                "SELECT state, jobs FROM batch_tally WHERE batch_id = ?1", [.integer(batches[index].id.value)]
            ) { row in
                if let state = JobState(rawValue: row.text(0)) { batches[index].counts[state] = row.int(1) }
            }
        }
        return batches
    }
}
