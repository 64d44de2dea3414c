import Jobs
import SQLite
import StoreRules

/// What an enqueue or a preview reads of the database.
struct StoredEnqueue: EnqueueReads {
    private let connection: Connection
    private let now: Now

    init(_ connection: Connection, now: Now) {
        self.connection = connection
        self.now = now
    }

    func requirement(of queue: String) throws -> RequirementState? {
        try connection.queryOne(
            """
            SELECT requires_system, requires_check, max_input_tokens, check_rules IS NOT NULL
            FROM queue
            WHERE name = ?1
            """, [.text(queue)]
        ) { row in RequirementState(QueueRequirement(row, from: 0), hasCheck: row.bool(3)) }
    }

    func job(_ idempotency: NewJob.Idempotency) throws -> KnownJob? {
        try connection.queryOne(
            """
            SELECT job_id, fingerprint
            FROM job_body
            WHERE idempotency_key = ?1 AND idempotency_ordinal = ?2
            """, [.text(idempotency.key), .integer(idempotency.ordinal)]
        ) { row in KnownJob(row) }
    }

    func job(named customID: String, in queue: String) throws -> KnownJob? {
        try connection.queryOne(
            """
            SELECT job.id, job_body.fingerprint
            FROM queue
            JOIN job ON job.queue_id = queue.id AND job.custom_id = ?2
            JOIN job_body ON job_body.job_id = job.id
            WHERE queue.name = ?1
            """, [.text(queue), .text(customID)]
        ) { row in KnownJob(row) }
    }

    func route(_ key: RouteKey) throws -> RouteState? { try RouteState.find(key, connection) }

    func cachedAnswer(_ hash: [UInt8], route: Int64) throws -> CachedAnswer? {
        try CachedAnswer.find(hash, route: route, now: now.timestamp, connection)
    }
}

extension KnownJob {
    fileprivate init(_ row: borrowing Row) {
        self.init(id: JobID(row.int64(0)), fingerprint: row.blob(1))
    }
}

extension QueueRequirement {
    /// System, check and input tokens, in this order.
    init(_ row: borrowing Row, from first: Int) {
        self.init(
            system: row.bool(first), check: row.bool(first + 1), maxInputTokens: row.intOrNil(first + 2))
    }
}
