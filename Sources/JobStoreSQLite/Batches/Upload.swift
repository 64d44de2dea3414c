import Jobs
import SQLite
import StoreRules

/// A portion of an upload on its way into sealed lanes.
struct Upload {
    struct Repeated: Error {
        var customID: String
    }

    let context: WriteContext
    let batch: BatchID

    init(_ context: WriteContext, batch: BatchID) {
        self.context = context
        self.batch = batch
    }

    /// Whether it is an upload of which something was heard lately.
    static func isGoingOn(_ batch: BatchID, at now: Timestamp, _ connection: Connection) throws -> Bool {
        try connection.queryOne(
            "SELECT 1 FROM message_batch WHERE batch_id = ?1 AND open = 0 AND touched_at >= ?2",
            [.integer(batch.value), .integer(MessageBatch.lastSign(at: now).milliseconds)],
            { row in row.int(0) }) != nil
    }

    func take(_ requests: [BatchRequest]) throws {
        let connection = context.connection
        let now = context.now.timestamp
        guard try Self.isGoingOn(batch, at: now, connection) else { return }
        _ = try connection.run(
            "UPDATE message_batch SET touched_at = ?2 WHERE batch_id = ?1",
            [.integer(batch.value), .integer(now.milliseconds)])
        let requests = try examined(requests)
        let jobs = requests.map { request in
            var job = request.job
            job.batch = batch
            return job
        }
        let outcomes = try Enqueue(context, into: .sealed(batch)).run(jobs)
        for (request, outcome) in zip(requests, outcomes) {
            guard let id = outcome.id?.value else { continue }
            let added = try connection.run(
                """
                INSERT INTO message_batch_item (job_id, batch_id, custom_id)
                VALUES (?1, ?2, ?3)
                ON CONFLICT DO NOTHING
                """, [.integer(id), .integer(batch.value), .text(request.customID)])
            guard added == 1 else { throw Repeated(customID: request.customID) }
            guard let failure = request.failure, let job = try JobRecord.find(id, connection) else {
                continue
            }
            try context.end(job, .failed, failure)
        }
    }

    private func examined(_ requests: [BatchRequest]) throws -> [BatchRequest] {
        var rules = EnqueueRules(StoredEnqueue(context.connection, now: context.now))
        return try requests.map { request in
            guard request.failure == nil, let refusal = try rules.refusal(of: request.job) else {
                return request
            }
            return request.failing(refusal)
        }
    }
}
