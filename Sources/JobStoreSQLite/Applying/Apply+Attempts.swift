import Jobs
import SQLite
import StoreRules

extension WriteContext {
    func open(_ attempt: NewAttempt) throws {
        let (job, number) = (attempt.key.job.value, attempt.key.number)
        _ = try connection.run(
            """
            UPDATE job
            SET state = 'running', ready = 0, attempt = ?2, started_at = coalesce(started_at, ?3)
            WHERE id = ?1
            """, [.integer(job), .integer(number), .integer(now.timestamp.milliseconds)])
        _ = try connection.run(
            """
            INSERT INTO attempt (
                job_id, number, worker_id, route_id, queue_id, opened_at, opened_moment, boot, lease_until,
                prompt_hash, reserved_input, reserved_output, reserved_cost, mark_requests, mark_input, mark_output,
                mark_succeeded, home_route_id, fallback, fallback_cause, budget_windows, provider_batch_id
            )
            VALUES (
                ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22
            )
            """,
            [
                .integer(job), .integer(number), .integer(attempt.worker), .integer(attempt.choice.route),
                .integer(attempt.queue), .integer(now.timestamp.milliseconds),
                .integer(now.moment.milliseconds), .integer(now.moment.epoch),
                .integer(attempt.leaseUntil.milliseconds), .blob(attempt.promptHash),
                .real(attempt.need.input), .real(attempt.need.output),
                .integer(attempt.worstCase.nanodollars), .real(attempt.marks.requests),
                .real(attempt.marks.input), .real(attempt.marks.output), .integer(attempt.marks.succeeded),
                .integer(attempt.home), .integer(attempt.choice.position),
                .text(attempt.choice.cause?.rawValue), .text(try names(of: attempt.windows)),
                .integer(try attempt.providerBatch.map(id)),
            ])
    }

    /// As an attempt names them: `,1,2,`; nil for none.
    private func names(of windows: [WindowReference]) throws -> String? {
        guard !windows.isEmpty else { return nil }
        return try windows.reduce(into: ",") { names, window in names += "\(try id(of: window))," }
    }

    /// Its verdict, and what was really used.
    func settle(_ settled: AttemptSettlement) throws {
        let settlement = settled.settlement
        let usage = settlement.answer?.usage ?? settlement.usage
        _ = try connection.run(
            """
            UPDATE attempt
            SET status = 'settled', verdict = ?3, counted = ?4, closed_at = ?5, input_tokens = ?6, output_tokens = ?7,
                cache_write_tokens = ?8, cache_write_1h_tokens = ?9, cache_read_tokens = ?10, cost = ?11,
                unconfirmed_cost = ?12, call_milliseconds = ?13, request_id = ?14, error = ?15
            WHERE job_id = ?1 AND number = ?2
            """,
            [
                .integer(settlement.key.job.value), .integer(settlement.key.number), .text(settled.word),
                .bool(settled.counted), .integer(now.timestamp.milliseconds), .integer(usage?.inputTokens),
                .integer(usage?.outputTokens), .integer(usage?.cacheWriteTokens),
                .integer(usage?.cacheWrite1hTokens), .integer(usage?.cacheReadTokens),
                .integer(settled.cost), .integer(settled.unconfirmedCost),
                .integer(settlement.callMilliseconds), .text(settlement.requestID),
                .utf8(settlement.verdict.error.map(ErrorText.write)),
            ])
    }

    func writeOff(_ key: AttemptKey, _ error: JobError) throws {
        _ = try connection.run(
            """
            UPDATE attempt
            SET status = 'written_off', verdict = 'lease_lost', closed_at = ?3, unconfirmed_cost = reserved_cost, error = ?4
            WHERE job_id = ?1 AND number = ?2
            """,
            [
                .integer(key.job.value), .integer(key.number), .integer(now.timestamp.milliseconds),
                .utf8(ErrorText.write(error)),
            ])
    }

    func drain(_ worker: WorkerID, until: Moment) throws {
        _ = try connection.run(
            "UPDATE worker SET emptying = ?2 WHERE id = ?1",
            [.integer(worker.value), .integer(until.milliseconds)])
    }
}
