import Jobs
import Postgres
import StoreRules

extension WriteContext {
    /// Stores an answer once; returns its number.
    func keep(_ new: NewAnswer) throws -> Int64 {
        let id = try newAnswerID()
        answers.add(new, as: id)
        return id
    }

    func decrementUses(of answer: Int64) { answers.use(answer, by: -1) }
    func incrementUses(of answer: Int64) { answers.use(answer, by: 1) }

    // MARK: Checks

    func passCheck(of job: Int64) { run(.passCheck, [.integer(job)]) }

    func failCheck(of job: Int64, _ failure: CheckFailure, keeping answer: NewAnswer?) throws {
        run(.failCheck, [.integer(job), .text(failure.reason), .integer(failure.used)])
        guard let answer else { return }
        let id = try keep(answer)
        try change(job) { $0.answer = id }
    }

    /// Another request takes the place of what is sent.
    func request(of job: Int64, _ change: RequestChange, _ facts: RequestFacts) throws {
        switch change {
        case .followed(let next, let source):
            run(.followRequest, [.integer(job), .bytes(next), .text(source)])
        case .beganAgain: run(.nextRequest, [.integer(job), .bytes(nil)])
        case .changed(let own, let next):
            run(.ownRequest, [.integer(job), .bytes(own)])
            if let next { run(.nextRequest, [.integer(job), .bytes(next)]) }
        }
        run(
            .requestFacts,
            [
                .integer(job), .integer(facts.bytes), .bytes(facts.promptHash),
                .integer(facts.bound.inputTokens), .integer(facts.bound.writes.rawValue),
                .integer(facts.bound.webSearches), .bytes(facts.prefix?.hash),
                .integer(facts.prefix?.lifetime),
            ])
        // One that waits has them in its row there.
        try self.change(job) { _ in }
    }
}

extension Statement {
    fileprivate static let passCheck = Statement(
        "pass-check", "UPDATE job_check SET passed = true, step = source WHERE job_id = $1::bigint", .bigint)
    fileprivate static let failCheck = Statement(
        "fail-check",
        """
        UPDATE job_check
        SET passed = false, step = source, reason = $2::text, used = $3::bigint
        WHERE job_id = $1::bigint
        """, .bigint, .text, .bigint)
    fileprivate static let followRequest = Statement(
        "follow-request",
        "UPDATE job_check SET request = $2::bytea, source = $3::text WHERE job_id = $1::bigint", .bigint,
        .bytea, .text)
    fileprivate static let nextRequest = Statement(
        "next-request", "UPDATE job_check SET request = $2::bytea WHERE job_id = $1::bigint", .bigint, .bytea)
    fileprivate static let ownRequest = Statement(
        "own-request", "UPDATE job SET request = $2::bytea WHERE id = $1::bigint", .bigint, .bytea)
    fileprivate static let requestFacts = Statement(
        "request-facts",
        """
        UPDATE job
        SET request_bytes = $2::bigint, prompt_hash = $3::bytea, worst_input_tokens = $4::bigint,
            cache_writes = $5::bigint, worst_searches = $6::bigint, prefix_hash = $7::bytea, prefix_lifetime = $8::bigint
        WHERE id = $1::bigint
        """, .bigint, .bigint, .bytea, .bigint, .bigint, .bigint, .bytea, .bigint)
}
