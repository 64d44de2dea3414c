import JSON
import Jobs
import SQLite
import StoreAudit

/// What suites ask of rows in the words of SQLite's schema, whatever store has written them.
struct StoredRows {
    let connection: Connection

    init(_ connection: Connection) {
        self.connection = connection
    }

    func violations(isPruned: Bool) throws -> [String] {
        try Audit(connection: connection).violations(isPruned: isPruned)
    }

    func jobs() throws -> [StoredJob] {
        try connection.query(
            """
            SELECT job.id, job.state, queue.name, job.custom_id, job.batch_id, route.model, job_body.tags, job.error
            FROM job
            JOIN queue ON queue.id = job.queue_id
            JOIN lane ON lane.id = job.lane_id
            JOIN route ON route.id = lane.route_id
            JOIN job_body ON job_body.job_id = job.id
            ORDER BY job.id
            """
        ) { row in
            StoredJob(
                id: JobID(row.int64(0)), state: JobState(rawValue: row.text(1)) ?? .queued,
                queue: row.text(2), customID: row.textOrNil(3),
                batch: row.int64OrNil(4).map { BatchID($0) }, model: row.text(5),
                tags: row.textOrNil(6)?.split(separator: "\n").map(String.init) ?? [],
                errorType: row.isNull(7) ? nil : try JSON.parse(row.blob(7))["type"]?.string)
        }
    }

    func changedRequests() throws -> [StoredRequest] {
        try connection.query(
            """
            SELECT job.id, job_check.request, job_body.sample, job.prompt_hash, job.request_bytes, route.model
            FROM job
            JOIN job_check ON job_check.job_id = job.id
            JOIN job_body ON job_body.job_id = job.id
            JOIN lane ON lane.id = job.lane_id
            JOIN route ON route.id = lane.route_id
            WHERE job.state = 'queued' AND job_check.request IS NOT NULL
            """
        ) { row in
            StoredRequest(
                job: JobID(row.int64(0)), request: row.blob(1), sample: row.int(2), promptHash: row.blob(3),
                bytes: row.int(4), model: row.text(5))
        }
    }

    func attemptsOutsideBudget(of tag: String, since: Timestamp) throws -> [AttemptKey] {
        try connection.query(
            """
            SELECT attempt.job_id, attempt.number
            FROM budget
            JOIN job_tag ON job_tag.tag = budget.subject
            JOIN attempt ON attempt.job_id = job_tag.job_id
            WHERE budget.scope = 'tag' AND budget.active = 1 AND budget.subject = ?1 AND attempt.opened_at > ?2
                AND NOT EXISTS (
                    SELECT 1
                    FROM budget_window
                    WHERE budget_window.budget_id = budget.id
                        AND attempt.budget_windows LIKE '%,' || budget_window.id || ',%'
                )
            """, [.text(tag), .integer(since.milliseconds)]
        ) { row in AttemptKey(job: JobID(row.int64(0)), number: row.int(1)) }
    }

    func featuresMet() throws -> [(feature: String, times: Int)] {
        try Self.features.map { feature, query in
            let count = try connection.queryOne(SQL("SELECT count(*) FROM " + query)) { row in row.int(0) }
            return (feature, count ?? 0)
        }
    }

    private static let features = [
        ("calls of servers", "attempt JOIN worker ON worker.id = worker_id WHERE is_interactive = 1"),
        ("batches", "message_batch WHERE open = 1"),
        ("batches cancelled", "message_batch WHERE cancelled_at IS NOT NULL"),
        (
            "jobs of batches out at half the price",
            "attempt JOIN message_batch_item ON message_batch_item.job_id = attempt.job_id WHERE provider_batch_id > 0"
        ),
        ("quarantined jobs", "job WHERE crash_count >= 3"),
        ("prefixes", "prefix"),
        ("samples", "job_body WHERE sample > 0"),
        ("repairs and escalations", "job_check WHERE request IS NOT NULL"),
        ("fallbacks", "attempt WHERE fallback > 0"),
        (
            "calls under a tag's budget",
            """
            attempt JOIN budget_window ON budget_windows LIKE '%,' || budget_window.id || ',%'
            JOIN budget ON budget.id = budget_id WHERE scope = 'tag'
            """
        ),
        ("deadlines missed", "job WHERE error_type = 'deadline_exceeded'"),
    ]
}
