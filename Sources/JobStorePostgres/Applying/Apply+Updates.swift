import Jobs
import Postgres
import StoreRules

// What people change of single jobs. A job that waits has some of its own columns in its row there too: it is written anew.
extension WriteContext {
    func update(_ job: Int64, _ update: JobUpdate) throws {
        switch update {
        case .reopen: try reopen(job)
        case .restartChain:
            try change(job) { row in
                (row.position, row.cause) = (0, nil)
                row.skipsCoalescing = false
            }
        case .stopAwaiting:
            try change(job) { row in
                if case .waiting(_, under: .some) = row.place { row.place = .waiting(until: nil, under: nil) }
            }
        case .maxTokens(let limit):
            run(.jobMaxTokens, [.integer(job), .integer(limit)])
            try change(job) { _ in }
        case .requestedModel(let name): run(.requestedModel, [.integer(job), .text(name)])
        case .resetCheck: run(.resetCheck, [.integer(job)])
        case .beginCheckHere:
            try loadRows([job])
            if let lane = rows[job]?.lane { run(.firstLane, [.integer(job), .integer(lane)]) }
        }
    }

    private func reopen(_ job: Int64) throws {
        run(.reopenJob, [.integer(job), .integer(now.timestamp.milliseconds)])
        try change(job) { row in
            row.place = .waiting(until: nil, under: nil)
            (row.attemptsCounted, row.failures, row.crashCount, row.forgiven) = (0, 0, 0, 0)
            (row.error, row.errorType, row.blame, row.answer) = (nil, nil, nil, nil)
            (row.position, row.cause) = (0, nil)
            row.skipsCoalescing = false
            (row.finishedAt, row.finishOrder) = (nil, nil)
        }
    }

    // MARK: Reviews

    func accept(_ job: Int64, _ answer: ReviewedAnswer) throws {
        let answer = try id(of: answer)
        try end(job, .succeeded) { row in
            row.answer = answer
            row.error = nil
        }
    }

    private func id(of answer: ReviewedAnswer) throws -> Int64 {
        switch answer {
        case .stored(let id): return id
        case .edited(let message, let original):
            let id = try newAnswerID()
            run(
                .insertEditedAnswer,
                [
                    .integer(id), .integer(original), .bytes(message),
                    .integer(now.timestamp.milliseconds),
                ])
            decrementUses(of: original)
            return id
        }
    }

    func noteReview(of job: Int64, _ action: ReviewAction, note: String?) {
        run(
            .noteReview,
            [.integer(job), .text(action.word), .text(note), .integer(now.timestamp.milliseconds)])
    }
}

extension Statement {
    fileprivate static let jobMaxTokens = Statement(
        "job-max-tokens", "UPDATE job SET max_tokens = $2::bigint WHERE id = $1::bigint", .bigint, .bigint)
    fileprivate static let requestedModel = Statement(
        "requested-model", "UPDATE job SET requested_model = $2::text WHERE id = $1::bigint", .bigint, .text)
    fileprivate static let reopenJob = Statement(
        "reopen-job", "UPDATE job SET run_at = $2::bigint, deadline = NULL WHERE id = $1::bigint", .bigint,
        .bigint)
    fileprivate static let resetCheck = Statement(
        "reset-check",
        """
        UPDATE job_check
        SET used = 0, source = 'first', passed = NULL, step = NULL, reason = NULL, review = NULL, review_note = NULL,
            reviewed_at = NULL
        WHERE job_id = $1::bigint
        """, .bigint)
    fileprivate static let firstLane = Statement(
        "first-lane", "UPDATE job_check SET first_lane_id = $2::bigint WHERE job_id = $1::bigint", .bigint,
        .bigint)

    /// It is this job's alone: no other is served it.
    fileprivate static let insertEditedAnswer = Statement(
        "insert-edited-answer",
        """
        INSERT INTO answer (
            id, route_id, prompt_hash, job_id, model, body, input_tokens, output_tokens, cache_write_tokens,
            cache_write_1h_tokens, cache_read_tokens, cost, created_at, expires_at, uses
        )
        SELECT $1::bigint, route_id, NULL::bytea, job_id, model, $3::bytea, input_tokens, output_tokens, cache_write_tokens,
            cache_write_1h_tokens, cache_read_tokens, cost, $4::bigint, expires_at, 1
        FROM answer
        WHERE id = $2::bigint
        """, .bigint, .bigint, .bytea, .bigint)
    fileprivate static let noteReview = Statement(
        "note-review",
        """
        UPDATE job_check
        SET review = $2::text, review_note = $3::text, reviewed_at = $4::bigint,
            step = CASE WHEN $2::text = 'edit' THEN 'review' ELSE step END
        WHERE job_id = $1::bigint
        """, .bigint, .text, .text, .bigint)
}
