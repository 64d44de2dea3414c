package import Jobs
import SQLite
import StoreRules

extension SQLiteJobStore: MessageBatchStore {
    /// Jobs that one transaction takes away.
    private static let portion = 500

    package func beginUpload() async throws -> BatchID {
        try await write { context in
            let connection = context.connection
            let last = try connection.queryOne("SELECT max(id) FROM batch") { row in row.int64(0) } ?? 0
            let id = BatchID(max(context.now.timestamp.firstID, last + 1))
            let time = context.now.timestamp
            _ = try connection.run(
                "INSERT INTO batch (id, name, created_at) VALUES (?1, ?2, ?3)",
                [.integer(id.value), .text("msg" + id.description), .integer(time.milliseconds)])
            _ = try connection.run(
                """
                INSERT INTO message_batch (batch_id, touched_at, created_at, expires_at)
                VALUES (?1, ?2, ?2, ?3)
                """,
                [
                    .integer(id.value), .integer(time.milliseconds),
                    .integer((time + MessageBatch.time).milliseconds),
                ])
            return id
        }
    }

    package func upload(_ requests: [BatchRequest], to batch: BatchID) async throws -> String? {
        try await write { context in
            do {
                try context.connection.savepoint { try Upload(context, batch: batch).take(requests) }
                return nil
            } catch let repeated as Upload.Repeated {
                context.forgetTallies()
                return repeated.customID
            }
        }
    }

    package func open(_ batch: BatchID, key: String?, fingerprint: [UInt8]) async throws -> UploadEnd {
        try await write { context in
            let connection = context.connection
            if let key, try MessageBatches.find(key: key, connection) != nil { return .keyTaken }
            guard try Upload.isGoingOn(batch, at: context.now.timestamp, connection) else {
                return .givenUp
            }
            try context.apply { delta in delta.open(batch, key: key, fingerprint: fingerprint) }
            return .opened
        }
    }

    package func discard(_ batch: BatchID) async throws -> Bool {
        try await write { context in
            let connection = context.connection
            let isUpload = try connection.queryOne(
                "SELECT open = 0 FROM message_batch WHERE batch_id = ?1", [.integer(batch.value)],
                { row in row.bool(0) })
            guard isUpload == true else { return false }
            let jobs = try connection.query(
                "SELECT id, lane_id, state, finish_order FROM job WHERE batch_id = ?1 LIMIT ?2",
                [.integer(batch.value), .integer(Self.portion)]
            ) { row in
                DiscardedJob(
                    id: row.int64(0), lane: row.int64(1), state: JobState(rawValue: row.text(2)) ?? .queued,
                    finishOrder: row.int64OrNil(3))
            }
            let areLast = jobs.count < Self.portion
            try context.apply { delta in delta.discard(jobs, of: batch, areLast: areLast) }
            return !areLast
        }
    }

    package func brokenUploads() async throws -> [BatchID] {
        let now = now()
        guard now.isCertain else { return [] }
        return try await read { connection in
            try connection.query(
                "SELECT batch_id FROM message_batch WHERE open = 0 AND touched_at < ?1",
                [.integer(MessageBatch.lastSign(at: now.timestamp).milliseconds)]
            ) { row in BatchID(row.int64(0)) }
        }
    }

    package func messageBatch(_ id: BatchID) async throws -> MessageBatch? {
        let found = try await read { connection in
            try MessageBatches.find("WHERE batch_id = ?1 AND open = 1", [.integer(id.value)], connection)
                .first
        }
        guard let found, found.hasJustEnded else { return found }
        return try await write { context in
            try context.apply { delta in delta.add(.messageBatch(id, .end)) }
            return try MessageBatches.find("WHERE batch_id = ?1", [.integer(id.value)], context.connection)
                .first
        }
    }

    package func messageBatch(key: String) async throws -> (id: BatchID, fingerprint: [UInt8])? {
        try await read { connection in try MessageBatches.find(key: key, connection) }
    }

    package func messageBatches(
        after: BatchID?, before: BatchID?, limit: Int
    ) async throws -> [MessageBatch] {
        let ids = try await read { connection in
            if let before {
                let newer = try connection.query(
                    "SELECT batch_id FROM message_batch WHERE open = 1 AND batch_id > ?1 ORDER BY batch_id LIMIT ?2",
                    [.integer(before.value), .integer(limit)]
                ) { row in BatchID(row.int64(0)) }
                return Array(newer.reversed())
            }
            return try connection.query(
                "SELECT batch_id FROM message_batch WHERE open = 1 AND batch_id < ?1 ORDER BY batch_id DESC LIMIT ?2",
                [.integer(after?.value ?? .max), .integer(limit)]
            ) { row in BatchID(row.int64(0)) }
        }
        var batches: [MessageBatch] = []
        for id in ids {
            if let batch = try await messageBatch(id) { batches.append(batch) }
        }
        return batches
    }

    package func cancel(_ batch: BatchID) async throws -> Bool {
        try await write { context in
            try context.apply { delta in delta.cancel(batch) }
            return try MessageBatches.cancelQueued(of: batch.value, limit: Self.portion, context)
                == Self.portion
        }
    }

    package func delete(_ batch: BatchID) async throws {
        try await write { context in
            _ = try context.connection.run(
                "DELETE FROM message_batch WHERE batch_id = ?1", [.integer(batch.value)])
            try PruneFloor.forget(context.connection)
        }
    }

    package func results(of batch: BatchID, after: Int64, limit: Int) async throws -> [BatchResult] {
        let query = ResultsQuery(source: .batch(batch), inputOrder: true, bodies: .response)
        let finished = try await results(query, after: after, limit: limit)
        return try await read { connection in
            try finished.compactMap { finished in
                try connection.queryOne(
                    "SELECT custom_id FROM message_batch_item WHERE job_id = ?1",
                    [.integer(finished.job.id.value)]
                ) { row in BatchResult(customID: row.text(0), finished: finished) }
            }
        }
    }
}

enum MessageBatches {
    static func find(key: String, _ connection: Connection) throws -> (id: BatchID, fingerprint: [UInt8])? {
        try connection.queryOne(
            "SELECT batch_id, fingerprint FROM message_batch WHERE idempotency_key = ?1", [.text(key)]
        ) { row in (BatchID(row.int64(0)), row.blob(1)) }
    }

    static func find(_ clause: String, _ values: [Value], _ connection: Connection) throws -> [MessageBatch] {
        let sql = SQL(
            """
            SELECT batch_id, created_at, expires_at, cancelled_at, ended_at
            FROM message_batch
            \(clause)
            """)
        var batches = try connection.query(sql, values) { row in
            MessageBatch(
                id: BatchID(row.int64(0)), createdAt: Timestamp(milliseconds: row.int64(1)),
                expiresAt: Timestamp(milliseconds: row.int64(2)),
                cancelledAt: row.int64OrNil(3).map { Timestamp(milliseconds: $0) },
                endedAt: row.int64OrNil(4).map { Timestamp(milliseconds: $0) }, counts: StateCounts(),
                expired: 0)
        }
        for index in batches.indices {
            let id = batches[index].id.value
            try connection.forEach("SELECT state, jobs FROM batch_tally WHERE batch_id = ?1", [.integer(id)])
            {
                row in
                if let state = JobState(rawValue: row.text(0)) { batches[index].counts[state] = row.int(1) }
            }
            guard batches[index].counts.failed > 0 else { continue }
            batches[index].expired = try expired(in: id, connection)
        }
        return batches
    }

    private static func expired(in batch: Int64, _ connection: Connection) throws -> Int {
        try connection.queryOne(
            """
            SELECT count(*)
            FROM job
            WHERE batch_id = ?1 AND state = 'failed' AND error LIKE '%"deadline_exceeded"%'
            """, [.integer(batch)], { row in row.int(0) }) ?? 0
    }

    /// Returns how many jobs it cancelled.
    static func cancelQueued(of batch: Int64, limit: Int, _ context: WriteContext) throws -> Int {
        // Those that are ready are found at once, however many were cancelled before; the others are few.
        var ids = try context.connection.query(
            """
            SELECT job.id
            FROM lane
            CROSS JOIN job ON job.lane_id = lane.id AND job.ready = 1
            WHERE lane.batch_id = ?1
            LIMIT ?2
            """, [.integer(batch), .integer(limit)]
        ) { row in row.int64(0) }
        if ids.count < limit {
            ids += try context.connection.query(
                """
                SELECT id
                FROM job
                WHERE batch_id = ?1 AND (state = 'queued' OR state = 'review') AND NOT (
                    ready = 1 AND lane_id IN (SELECT id FROM lane WHERE lane.batch_id = ?1)
                )
                LIMIT ?2
                """, [.integer(batch), .integer(limit - ids.count)]
            ) { row in row.int64(0) }
        }
        let change = JobEdit(context)
        for id in ids { _ = try change.cancel(id) }
        return ids.count
    }

    /// Batches that were cancelled while jobs of them are queued: their canceller died, or a call came back unanswered.
    ///
    /// None is older than its time, as nothing of it is queued any more.
    static func halfCancelled(_ connection: Connection, now: Timestamp) throws -> [Int64] {
        try connection.query(
            """
            SELECT batch_id
            FROM message_batch
            WHERE batch_id >= ?1 AND cancelled_at IS NOT NULL AND ended_at IS NULL AND EXISTS (
                SELECT 1
                FROM batch_tally
                WHERE batch_tally.batch_id = message_batch.batch_id AND (state = 'queued' OR state = 'review')
                    AND jobs > 0
            )
            """, [.integer((now + -2 * MessageBatch.time).firstID)]
        ) { row in row.int64(0) }
    }

    /// Whether a job's results were published, or are about to be: nothing of it changes any more.
    static func isClosed(_ batch: Int64?, _ connection: Connection) throws -> Bool {
        guard let batch else { return false }
        return try connection.queryOne(
            "SELECT 1 FROM message_batch WHERE batch_id = ?1", [.integer(batch)], { row in row.int(0) })
            != nil
    }
}
