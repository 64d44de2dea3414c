import JSON
import Jobs
import SQLite
import Testing

@testable import JobStoreSQLite

/// What only the schedule knows must be true.
extension Schedule {
    /// A call for a tag that has a budget is paid out of it, wherever its job stood when the budget came.
    func auditBudgets() throws {
        let connection = try Connection(path: harness.directory.database, mode: .read)
        for (tag, since) in budgeted {
            try connection.forEach(
                """
                SELECT attempt.job_id, attempt.number, attempt.budget_windows
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
            ) { row in
                Issue.record("\(row.int64(0))/\(row.int(1)) is not in the budget of \(tag)")
            }
        }
    }

    /// What a queued job will send is what its row says of it.
    func auditRequests() throws {
        let connection = try Connection(path: harness.directory.database, mode: .read)
        try connection.forEach(
            """
            SELECT job.id, coalesce(job_check.request, job_body.request), job_body.sample, job.prompt_hash,
                job.request_bytes, route.model
            FROM job
            JOIN job_check ON job_check.job_id = job.id
            JOIN job_body ON job_body.job_id = job.id
            JOIN lane ON lane.id = job.lane_id
            JOIN route ON route.id = lane.route_id
            WHERE job.state = 'queued' AND job_check.request IS NOT NULL
            """
        ) { row in
            let request = try JSON.parse(row.blob(1))
            #expect(PromptHash(request: request, sample: row.int(2)).bytes == row.blob(3), "\(row.int64(0))")
            #expect(row.blob(1).count == row.int(4) && request["model"]?.string == row.text(5))
        }
    }

    /// How often each feature was met: a schedule that never meets one proves nothing of it.
    func featuresMet() throws -> [(feature: String, times: Int)] {
        let connection = try Connection(path: harness.directory.database, mode: .read)
        return try Self.features.map { feature, query in
            (
                feature,
                try connection.queryOne(SQL("SELECT count(*) FROM " + query)) { row in row.int(0) } ?? 0
            )
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
