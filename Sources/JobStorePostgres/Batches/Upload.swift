import Jobs
import Postgres
import StoreRules

/// A portion of an upload on its way into sealed lanes.
struct Upload {
    private let context: WriteContext
    private let batch: BatchID

    init(_ context: WriteContext, batch: BatchID) {
        self.context = context
        self.batch = batch
    }

    /// Whether it is an upload of which something was heard lately.
    static func isGoingOn(_ batch: BatchID, at now: Timestamp, _ access: Access) throws -> Bool {
        try !access.query([goingOn(batch, at: now)])[0].isEmpty
    }

    private static func goingOn(_ batch: BatchID, at now: Timestamp) -> Call {
        Call(
            .uploadGoingOn,
            [.integer(batch.value), .integer(MessageBatch.lastSign(at: now).milliseconds)])
    }

    /// Nil, or the first custom id that the batch had before: then nothing is taken.
    func take(_ requests: [BatchRequest]) throws -> String? {
        let now = context.now.timestamp
        let found = try context.access.query([
            Self.goingOn(batch, at: now),
            Call(.takenCustomIDs, [.integer(batch.value), .textArray(requests.map(\.customID))]),
        ])
        guard !found[0].isEmpty else { return nil }
        var names = Set(try found[1].map { row in try row.text(0) })
        for request in requests where !names.insert(request.customID).inserted { return request.customID }
        context.run(.touchUpload, [.integer(batch.value), .integer(now.milliseconds)])
        try add(examined(requests))
        return nil
    }

    private func examined(_ requests: [BatchRequest]) throws -> [BatchRequest] {
        var rules = EnqueueRules(try LoadedEnqueue(requests.map(\.job), .sealed(batch), context))
        return try requests.map { request in
            guard request.failure == nil, let refusal = try rules.refusal(of: request.job) else {
                return request
            }
            return request.failing(refusal)
        }
    }

    private func add(_ requests: [BatchRequest]) throws {
        let jobs = requests.map { request in
            var job = request.job
            job.batch = batch
            return job
        }
        var enqueue = Enqueue(context, into: .sealed(batch))
        let outcomes = try enqueue.run(jobs)
        let taken = zip(requests, outcomes).compactMap { request, outcome in
            outcome.id.map { (request: request, id: $0.value) }
        }
        context.run(
            .insertItems,
            [
                .integer(batch.value), .texts(taken.map(\.request.customID)), .integers(taken.map { $0.id }),
            ])
        let failures = taken.filter { $0.request.failure != nil }
        guard !failures.isEmpty else { return }
        try fail(Dictionary(failures.map { ($0.id, $0.request.failure) }) { first, _ in first })
    }

    /// Requests that cannot be asked end at once.
    private func fail(_ failures: [Int64: JobError?]) throws {
        let ids = failures.keys.sorted()
        try context.loadRows(ids)
        for job in try JobRecord.find(ids, context.access) {
            try context.end(job, .failed, failures[job.id] ?? nil)
        }
    }
}

extension Statement {
    fileprivate static let uploadGoingOn = Statement(
        "upload-going-on",
        "SELECT 1 FROM message_batch WHERE batch_id = $1::bigint AND NOT open AND touched_at >= $2::bigint",
        .bigint, .bigint)

    /// Each is looked up by itself: a batch may have a hundred thousand.
    fileprivate static let takenCustomIDs = Statement(
        "taken-custom-ids",
        """
        SELECT taken.custom_id
        FROM unnest($2::text[]) AS new (custom_id)
        CROSS JOIN LATERAL (
            SELECT custom_id
            FROM message_batch_item
            WHERE batch_id = $1::bigint AND message_batch_item.custom_id = new.custom_id
            LIMIT 1
        ) AS taken
        """, .bigint, .texts)

    fileprivate static let touchUpload = Statement(
        "touch-upload", "UPDATE message_batch SET touched_at = $2::bigint WHERE batch_id = $1::bigint",
        .bigint, .bigint)

    fileprivate static let insertItems = Statement(
        "insert-items",
        """
        INSERT INTO message_batch_item (batch_id, custom_id, job_id)
        SELECT $1::bigint, new.custom_id, new.job_id
        FROM unnest($2::text[], $3::bigint[]) AS new (custom_id, job_id)
        """, .bigint, .texts, .bigints)
}
