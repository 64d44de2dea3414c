import Jobs
import SQLite
import StoreRules

// What people change of single jobs.
extension WriteContext {
    func update(_ job: Int64, _ update: JobUpdate) throws {
        switch update {
        case .reopen: try reopen(job)
        case .restartChain:
            _ = try connection.run(
                "UPDATE job SET fallback = 0, fallback_cause = NULL, skip_coalescing = 0 WHERE id = ?1",
                [.integer(job)])
        case .stopAwaiting:
            _ = try connection.run(
                """
                UPDATE job
                SET ready = 1, held_until = NULL, held_hash = NULL
                WHERE id = ?1 AND held_hash IS NOT NULL
                """, [.integer(job)])
        case .maxTokens(let limit):
            _ = try connection.run(
                "UPDATE job SET max_tokens = ?2 WHERE id = ?1", [.integer(job), .integer(limit)])
        case .requestedModel(let name):
            _ = try connection.run(
                "UPDATE job_body SET requested_model = ?2 WHERE job_id = ?1", [.integer(job), .text(name)])
        case .resetCheck:
            _ = try connection.run(
                """
                UPDATE job_check
                SET used = 0, source = 'first', passed = NULL, step = NULL, reason = NULL,
                    review = NULL, review_note = NULL, reviewed_at = NULL
                WHERE job_id = ?1
                """, [.integer(job)])
        case .beginCheckHere:
            _ = try connection.run(
                """
                UPDATE job_check
                SET first_lane_id = (SELECT job.lane_id FROM job WHERE job.id = ?1)
                WHERE job_id = ?1
                """, [.integer(job)])
        }
    }

    private func reopen(_ job: Int64) throws {
        _ = try connection.run(
            """
            UPDATE job
            SET state = 'queued', ready = 1, attempts_counted = 0, failures = 0, crash_count = 0, error = NULL,
                error_type = NULL, blame_route_id = NULL, blame_mark = NULL, forgiven = 0,
                fallback = 0, fallback_cause = NULL, skip_coalescing = 0,
                answer_id = NULL, deadline = NULL, finished_at = NULL, finish_order = NULL, run_at = ?2
            WHERE id = ?1
            """, [.integer(job), .integer(now.timestamp.milliseconds)])
    }

    func decrementUses(of answer: Int64) throws {
        _ = try connection.run("UPDATE answer SET uses = uses - 1 WHERE id = ?1", [.integer(answer)])
    }

    // MARK: Reviews

    func accept(_ job: Int64, _ answer: ReviewedAnswer) throws {
        let answer = try id(of: answer)
        _ = try connection.run(
            """
            UPDATE job
            SET state = 'succeeded', answer_id = ?2, finished_at = ?3, finish_order = ?4, error = NULL
            WHERE id = ?1
            """,
            [
                .integer(job), .integer(answer), .integer(now.timestamp.milliseconds),
                .integer(try nextFinishOrder()),
            ])
    }

    private func id(of answer: ReviewedAnswer) throws -> Int64 {
        switch answer {
        case .stored(let id): return id
        case .edited(let message, let original):
            _ = try connection.run(
                """
                INSERT INTO answer (
                    route_id, prompt_hash, job_id, model, body, input_tokens, output_tokens, cache_write_tokens,
                    cache_write_1h_tokens, cache_read_tokens, cost, created_at, expires_at, uses
                )
                SELECT route_id, NULL, job_id, model, ?2, input_tokens, output_tokens, cache_write_tokens,
                    cache_write_1h_tokens, cache_read_tokens, cost, ?3, expires_at, 1
                FROM answer
                WHERE id = ?1
                """,
                [.integer(original), .blob(message), .integer(now.timestamp.milliseconds)])
            let id = connection.lastInsertRowID
            try decrementUses(of: original)
            return id
        }
    }

    func noteReview(of job: Int64, _ action: ReviewAction, note: String?) throws {
        _ = try connection.run(
            """
            UPDATE job_check
            SET review = ?2, review_note = ?3, reviewed_at = ?4, step = iif(?2 = 'edit', 'review', step)
            WHERE job_id = ?1
            """,
            [
                .integer(job), .text(action.word), .text(note), .integer(now.timestamp.milliseconds),
            ])
    }
}
