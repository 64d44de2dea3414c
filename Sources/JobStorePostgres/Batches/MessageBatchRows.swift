import Jobs
import Postgres
import StoreRules

/// Batches of the Message Batches API, as they are stored.
enum MessageBatches {
    static func find(key: String, _ access: Access) throws -> (id: BatchID, fingerprint: [UInt8])? {
        try access.queryOne(.batchOfKey, [.text(key)]) { row in
            (BatchID(try row.int64(0)), try row.bytes(1))
        }
    }

    /// Those of them that are open, newest first.
    static func find(_ ids: [BatchID], _ access: Access) throws -> [MessageBatch] {
        try access.query(.batchesByID, [.integerArray(ids.map(\.value))]).map { row in
            try MessageBatch(row)
        }
    }

    /// The newest below another, or of all.
    static func below(_ batch: BatchID?, limit: Int, _ access: Access) throws -> [MessageBatch] {
        try access.query(.batchesBelow, [.integer(batch?.value ?? .max), .integer(limit)]).map { row in
            try MessageBatch(row)
        }
    }

    /// The next above another, oldest first.
    static func above(_ batch: BatchID, limit: Int, _ access: Access) throws -> [MessageBatch] {
        try access.query(.batchesAbove, [.integer(batch.value), .integer(limit)]).map { row in
            try MessageBatch(row)
        }
    }

    static func customIDs(of jobs: [Int64], _ access: Access) throws -> [Int64: String] {
        guard !jobs.isEmpty else { return [:] }
        var names: [Int64: String] = [:]
        for row in try access.query(.customIDsOfJobs, [.integerArray(jobs)]) {
            names[try row.int64(0)] = try row.text(1)
        }
        return names
    }

    /// Returns how many jobs it cancelled.
    static func cancelQueued(of batch: Int64, limit: Int, _ context: WriteContext) throws -> Int {
        let ids = try context.query(.unstarted, [.integer(batch), .integer(limit)]).map { row in
            try row.int64(0)
        }
        try context.loadRows(ids)
        let jobs = try JobRecord.find(ids, context.access)
        try context.apply { delta in
            for job in jobs { _ = delta.cancel(job) }
        }
        return ids.count
    }

    /// Batches that were cancelled while jobs of them are queued: their canceller died, or a call came back unanswered.
    ///
    /// None is older than its time, as nothing of it is queued any more.
    static func halfCancelled(_ access: Access, now: Timestamp) throws -> [Int64] {
        try access.query(.halfCancelled, [.integer((now + -2 * MessageBatch.time).firstID)]).map { row in
            try row.int64(0)
        }
    }

    /// Those whose results were published, or are about to be: nothing of them changes any more.
    static func closed(among batches: [Int64], _ access: Access) throws -> Set<Int64> {
        guard !batches.isEmpty else { return [] }
        return Set(try access.query(.closedBatches, [.integerArray(batches)]).map { try $0.int64(0) })
    }
}

extension MessageBatch {
    /// The columns of `openBatches`.
    fileprivate init(_ row: Row) throws {
        var counts = StateCounts()
        for (state, jobs) in zip(try row.texts(5), try row.int64s(6)) {
            if let state = state.flatMap(JobState.init(rawValue:)) { counts[state] = Int(jobs ?? 0) }
        }
        self.init(
            id: BatchID(try row.int64(0)), createdAt: try row.timestamp(1), expiresAt: try row.timestamp(2),
            cancelledAt: try row.timestampOrNil(3), endedAt: try row.timestampOrNil(4), counts: counts,
            expired: try row.int(7))
    }
}

extension Statement {
    fileprivate static let batchOfKey = Statement(
        "batch-of-key", "SELECT batch_id, fingerprint FROM message_batch WHERE idempotency_key = $1::text",
        .text)

    /// The last column counts those that ran out of time: in the batch's lanes, by the index of errors.
    private static let openBatches = """
        SELECT batch_id, created_at, expires_at, cancelled_at, ended_at,
            ARRAY(SELECT state FROM batch_tally WHERE batch_tally.batch_id = message_batch.batch_id ORDER BY state),
            ARRAY(SELECT jobs FROM batch_tally WHERE batch_tally.batch_id = message_batch.batch_id ORDER BY state),
            (
                SELECT count(*)
                FROM lane
                JOIN ended ON ended.lane_id = lane.id AND ended.error_type = 'deadline_exceeded'
                WHERE lane.batch_id = message_batch.batch_id
            )
        FROM message_batch
        WHERE open
        """

    fileprivate static let batchesByID = Statement(
        "message-batches-by-id",
        assembled: "\(openBatches) AND batch_id = ANY ($1::bigint[]) ORDER BY batch_id DESC", [.bigints],
        isKept: true)

    fileprivate static let batchesBelow = Statement(
        "message-batches-below",
        assembled: "\(openBatches) AND batch_id < $1::bigint ORDER BY batch_id DESC LIMIT $2::bigint",
        [.bigint, .bigint], isKept: true)

    fileprivate static let batchesAbove = Statement(
        "message-batches-above",
        assembled: "\(openBatches) AND batch_id > $1::bigint ORDER BY batch_id LIMIT $2::bigint",
        [.bigint, .bigint], isKept: true)

    fileprivate static let customIDsOfJobs = Statement(
        "custom-ids-of-jobs",
        "SELECT job_id, custom_id FROM message_batch_item WHERE job_id = ANY ($1::bigint[])", .bigints)

    /// All jobs of a batch are in lanes of its own, through all their moves.
    fileprivate static let unstarted = Statement(
        "unstarted-of-batch",
        """
        SELECT job_id
        FROM (
            SELECT waiting.job_id
            FROM lane
            JOIN waiting ON waiting.lane_id = lane.id
            WHERE lane.batch_id = $1::bigint
            UNION ALL
            SELECT running.job_id
            FROM lane
            JOIN running ON running.lane_id = lane.id AND running.state = 'review'
            WHERE lane.batch_id = $1::bigint
        ) AS unstarted
        LIMIT $2::bigint
        """, .bigint, .bigint)

    fileprivate static let halfCancelled = Statement(
        "half-cancelled",
        """
        SELECT batch_id
        FROM message_batch
        WHERE batch_id >= $1::bigint AND cancelled_at IS NOT NULL AND ended_at IS NULL AND EXISTS (
            SELECT 1
            FROM batch_tally
            WHERE batch_tally.batch_id = message_batch.batch_id
                AND (batch_tally.state = 'queued' OR batch_tally.state = 'review') AND batch_tally.jobs > 0
        )
        ORDER BY batch_id
        """, .bigint)

    fileprivate static let closedBatches = Statement(
        "closed-batches", "SELECT batch_id FROM message_batch WHERE batch_id = ANY ($1::bigint[])", .bigints)
}
