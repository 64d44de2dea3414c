package import Jobs
import SQLite

extension SQLiteJobStore {
    package func review(
        _ id: JobID, _ action: ReviewAction, note: String?, now: Now
    ) async throws -> ChangeOutcome {
        try await write(now: now) { context in
            guard let job = try StoredJob.find(id.value, context.connection) else { return .unknown }
            guard job.state == .review, let answer = job.answer else { return .refused(job.state) }
            try Review(context: context, job: job, answer: answer).carryOut(action, note: note)
            return .changed
        }
    }
}

/// A person's decision about an answer that failed its check.
private struct Review {
    let context: WriteContext
    let job: StoredJob
    let answer: Int64
    var connection: Connection { context.connection }

    func carryOut(_ action: ReviewAction, note: String?) throws {
        switch action {
        case .approve: try succeed(with: answer)
        case .edit(let message): try succeed(with: try replaced(by: message))
        case .rewrite(let text):
            let message = try connection.queryOne(
                "SELECT body FROM answer WHERE id = ?1", [.integer(answer)], { row in row.blob(0) })
            try succeed(with: try replaced(by: try EditedAnswer.message(message ?? [], saying: text)))
        case .reject: try fail(note: note)
        }
        _ = try connection.run(
            """
            UPDATE job_check
            SET review = ?2, review_note = ?3, reviewed_at = ?4, step = iif(?2 = 'edit', 'review', step)
            WHERE job_id = ?1
            """,
            [
                .integer(job.id), .text(action.word), .text(note),
                .integer(context.now.timestamp.milliseconds),
            ])
    }

    private func succeed(with answer: Int64) throws {
        _ = try connection.run(
            """
            UPDATE job
            SET state = 'succeeded', answer_id = ?2, finished_at = ?3, finish_order = ?4, error = NULL
            WHERE id = ?1
            """,
            [
                .integer(job.id), .integer(answer), .integer(context.now.timestamp.milliseconds),
                .integer(try context.nextFinishOrder()),
            ])
        context.moved(lane: job.lane, batch: job.batch, from: .review, to: .succeeded)
    }

    private func fail(note: String?) throws {
        let error = JobError(
            type: "rejected", message: note ?? "a person rejected the answer", retryable: true)
        try JobCompletion(context).end(job.id, .failed, error: error)
        context.moved(lane: job.lane, batch: job.batch, from: .review, to: .failed)
    }

    /// The person's answer, with what the model's took; it is this job's alone.
    private func replaced(by message: [UInt8]) throws -> Int64 {
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
            [.integer(answer), .blob(message), .integer(context.now.timestamp.milliseconds)])
        let edited = connection.lastInsertRowID
        _ = try connection.run("UPDATE answer SET uses = uses - 1 WHERE id = ?1", [.integer(answer)])
        return edited
    }
}
