package import Jobs
import Postgres
import StoreRules

extension PostgresJobStore {
    /// Jobs that one transaction takes away.
    private static let portion = 500

    package func beginUpload() async throws -> BatchID {
        try await write { context in
            guard let id = try context.newJobIDs(1).first.map({ BatchID($0) }) else {
                throw JobStoreError(.internal, "the database gave no number for a batch")
            }
            let time = context.now.timestamp
            context.run(
                .insertUpload,
                [.integer(id.value), .text("msg" + id.description), .integer(time.milliseconds)])
            context.run(
                .insertMessageBatch,
                [
                    .integer(id.value), .integer(time.milliseconds),
                    .integer((time + MessageBatch.time).milliseconds),
                ])
            return id
        }
    }

    package func upload(_ requests: [BatchRequest], to batch: BatchID) async throws -> String? {
        try await write { context in try Upload(context, batch: batch).take(requests) }
    }

    package func open(_ batch: BatchID, key: String?, fingerprint: [UInt8]) async throws -> UploadEnd {
        try await write { context in
            if let key, try MessageBatches.find(key: key, context.access) != nil { return .keyTaken }
            guard try Upload.isGoingOn(batch, at: context.now.timestamp, context.access) else {
                return .givenUp
            }
            try context.apply { delta in delta.open(batch, key: key, fingerprint: fingerprint) }
            return .opened
        }
    }

    package func discard(_ batch: BatchID) async throws -> Bool {
        try await write { context in
            let found = try context.access.query([
                Call(.uploadToDiscard, [.integer(batch.value)]),
                Call(.jobsToDiscard, [.integer(batch.value), .integer(Self.portion)]),
            ])
            guard !found[0].isEmpty else { return false }
            let jobs = try found[1].map { row in
                DiscardedJob(
                    id: try row.int64(0), lane: try row.int64(1),
                    state: JobState(rawValue: try row.text(2)) ?? .queued,
                    finishOrder: try row.int64OrNil(3))
            }
            let areLast = jobs.count < Self.portion
            try context.apply { delta in delta.discard(jobs, of: batch, areLast: areLast) }
            return !areLast
        }
    }

    package func brokenUploads() async throws -> [BatchID] {
        let now = now()
        guard now.isCertain else { return [] }
        return try await read { access in
            try access.query(
                .brokenUploads, [.integer(MessageBatch.lastSign(at: now.timestamp).milliseconds)]
            ).map { row in BatchID(try row.int64(0)) }
        }
    }

    package func messageBatch(_ id: BatchID) async throws -> MessageBatch? {
        let found = try await read { access in try MessageBatches.find([id], access) }
        return try await ended(found).first
    }

    package func messageBatch(key: String) async throws -> (id: BatchID, fingerprint: [UInt8])? {
        try await read { access in try MessageBatches.find(key: key, access) }
    }

    package func messageBatches(
        after: BatchID?, before: BatchID?, limit: Int
    ) async throws -> [MessageBatch] {
        let found = try await read { access in
            guard let before else { return try MessageBatches.below(after, limit: limit, access) }
            return Array(try MessageBatches.above(before, limit: limit, access).reversed())
        }
        return try await ended(found)
    }

    /// The same, where the end of those that have just ended is noted.
    private func ended(_ batches: [MessageBatch]) async throws -> [MessageBatch] {
        let ids = batches.filter(\.hasJustEnded).map(\.id)
        guard !ids.isEmpty else { return batches }
        let noted = try await write { context in
            try context.apply { delta in
                for id in ids { delta.add(.messageBatch(id, .end)) }
            }
            return try MessageBatches.find(ids, context.access)
        }
        return batches.compactMap { batch in
            ids.contains(batch.id) ? noted.first { $0.id == batch.id } : batch
        }
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
            context.run(.deleteMessageBatch, [.integer(batch.value)])
            PruneFloor.forget(context)
        }
    }

    package func results(of batch: BatchID, after: Int64, limit: Int) async throws -> [BatchResult] {
        let query = ResultsQuery(source: .batch(batch), inputOrder: true, bodies: .response)
        let finished = try await results(query, after: after, limit: limit)
        let names = try await read { access in
            try MessageBatches.customIDs(of: finished.map(\.job.id.value), access)
        }
        return finished.compactMap { finished in
            names[finished.job.id.value].map { BatchResult(customID: $0, finished: finished) }
        }
    }
}

extension Statement {
    fileprivate static let insertUpload = Statement(
        "insert-upload",
        "INSERT INTO batch (id, name, created_at) VALUES ($1::bigint, $2::text, $3::bigint)", .bigint, .text,
        .bigint)

    fileprivate static let insertMessageBatch = Statement(
        "insert-message-batch",
        """
        INSERT INTO message_batch (batch_id, touched_at, created_at, expires_at)
        VALUES ($1::bigint, $2::bigint, $2::bigint, $3::bigint)
        """, .bigint, .bigint, .bigint)

    fileprivate static let uploadToDiscard = Statement(
        "upload-to-discard", "SELECT 1 FROM message_batch WHERE batch_id = $1::bigint AND NOT open", .bigint)

    fileprivate static let jobsToDiscard = Statement(
        "jobs-to-discard",
        """
        SELECT job.id, place.lane_id, place.state, place.finish_order
        FROM (
            SELECT id FROM job WHERE batch_id = $1::bigint ORDER BY batch_ordinal LIMIT $2::bigint
        ) AS job
        CROSS JOIN LATERAL (SELECT * FROM job_place WHERE job_place.job_id = job.id) AS place
        """, .bigint, .bigint)

    fileprivate static let brokenUploads = Statement(
        "broken-uploads",
        "SELECT batch_id FROM message_batch WHERE NOT open AND touched_at < $1::bigint ORDER BY batch_id",
        .bigint)

    fileprivate static let deleteMessageBatch = Statement(
        "delete-message-batch", "DELETE FROM message_batch WHERE batch_id = $1::bigint", .bigint)
}
