import Jobs
import SQLite
import StoreRules

extension WriteContext {
    /// Stores an answer once; returns its number.
    func keep(_ new: NewAnswer) throws -> Int64 {
        let (answer, usage) = (new.answer, new.answer.usage)
        _ = try connection.run(
            """
            INSERT INTO answer (
                route_id, prompt_hash, job_id, model, body, input_tokens, output_tokens, cache_write_tokens,
                cache_write_1h_tokens, cache_read_tokens, cost, created_at, expires_at, uses
            )
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
            """,
            [
                .integer(new.route), .blob(new.hash), .integer(new.job), .text(answer.model),
                .blob(answer.body), .integer(usage.inputTokens), .integer(usage.outputTokens),
                .integer(usage.cacheWriteTokens), .integer(usage.cacheWrite1hTokens),
                .integer(usage.cacheReadTokens), .integer(new.cost), .integer(now.timestamp.milliseconds),
                .integer(new.expiresAt.milliseconds), .integer(new.uses),
            ])
        let id = connection.lastInsertRowID
        if let hash = new.hash { try note(answer: id, to: hash) }
        return id
    }

    // MARK: Checks

    func passCheck(of job: Int64) throws {
        _ = try connection.run(
            "UPDATE job_check SET passed = 1, step = source WHERE job_id = ?1", [.integer(job)])
    }

    func failCheck(of job: Int64, _ failure: CheckFailure, keeping answer: NewAnswer?) throws {
        _ = try connection.run(
            """
            UPDATE job_check
            SET passed = 0, step = source, reason = ?2, used = ?3
            WHERE job_id = ?1
            """, [.integer(job), .text(failure.reason), .integer(failure.used)])
        guard let answer else { return }
        _ = try connection.run(
            "UPDATE job SET answer_id = ?2 WHERE id = ?1", [.integer(job), .integer(try keep(answer))])
    }

    func follow(_ job: Int64, _ state: JobState, _ error: JobError) throws {
        _ = try connection.run(
            """
            UPDATE job
            SET state = ?2, ready = ?3, error = ?4, blame_route_id = NULL, blame_mark = NULL
            WHERE id = ?1
            """,
            [
                .integer(job), .text(state.rawValue), .bool(state == .queued),
                .utf8(ErrorText.write(error)),
            ])
    }

    /// Another request takes the place of what is sent.
    func request(of job: Int64, _ change: RequestChange, _ facts: RequestFacts) throws {
        switch change {
        case .followed(let next, let source):
            _ = try connection.run(
                "UPDATE job_check SET request = ?2, source = ?3 WHERE job_id = ?1",
                [.integer(job), .blob(next), .text(source)])
        case .beganAgain:
            _ = try connection.run(
                "UPDATE job_check SET request = NULL WHERE job_id = ?1", [.integer(job)])
        case .changed(let own, let next):
            _ = try connection.run(
                "UPDATE job_body SET request = ?2 WHERE job_id = ?1", [.integer(job), .blob(own)])
            guard let next else { break }
            _ = try connection.run(
                "UPDATE job_check SET request = ?2 WHERE job_id = ?1", [.integer(job), .blob(next)])
        }
        try note(facts, of: job)
    }

    private func note(_ facts: RequestFacts, of job: Int64) throws {
        _ = try connection.run(
            """
            UPDATE job
            SET request_bytes = ?2, prompt_hash = ?3, worst_input_tokens = ?4, cache_writes = ?5,
                worst_searches = ?6, prefix_hash = ?7, prefix_lifetime = ?8
            WHERE id = ?1
            """,
            [
                .integer(job), .integer(facts.bytes), .blob(facts.promptHash),
                .integer(facts.bound.inputTokens), .integer(facts.bound.writes.rawValue),
                .integer(facts.bound.webSearches), .blob(facts.prefix?.hash),
                .integer(facts.prefix?.lifetime),
            ])
    }
}
