import JSON
import Jobs
import SQLite

/// What is sent for a job now: its own request, or the one that followed an answer which failed its check.
///
/// The one value for all who ask: what a claim sends, what the cache and identical prompts are asked by, what budgets reserve
/// for, and what a change changes.
struct SentRequest {
    let job: Int64
    /// As it came in; a retry begins again with it.
    private(set) var own: [UInt8]
    /// After a failed check.
    private(set) var next: [UInt8]?
    let betas: [String]
    /// What the answer must be.
    let check: OpenCheck?
    let isKeyed: Bool
    private let sample: Int

    var bytes: [UInt8] { next ?? own }

    static func load(_ job: Int64, _ connection: Connection) throws -> SentRequest? {
        try connection.queryOne(
            """
            SELECT job_body.request, job_check.request, job_body.betas, job_body.sample, job_check.rules,
                job_check.used, job_body.idempotency_key IS NOT NULL
            FROM job_body
            LEFT JOIN job_check ON job_check.job_id = job_body.job_id
            WHERE job_body.job_id = ?1
            """, [.integer(job)]
        ) { row in
            let rules = row.blobOrNil(4)
            return SentRequest(
                job: job, own: row.blob(0), next: row.blobOrNil(1), betas: Betas.list(row.textOrNil(2)),
                check: rules.map { OpenCheck(rules: $0, used: row.int(5)) }, isKeyed: row.bool(6),
                sample: row.int(3))
        }
    }
}

// MARK: - Changing

extension SentRequest {
    /// Another request takes its place for the next call; the job's own stays for a retry.
    mutating func follow(with request: [UInt8], source: String, _ context: WriteContext) throws {
        next = request
        _ = try context.connection.run(
            "UPDATE job_check SET request = ?2, source = ?3 WHERE job_id = ?1",
            [.integer(job), .blob(request), .text(source)])
        try state(context)
    }

    /// Back to the job's own.
    mutating func beginAgain(_ context: WriteContext) throws {
        guard next != nil else { return }
        next = nil
        _ = try context.connection.run(
            "UPDATE job_check SET request = NULL WHERE job_id = ?1", [.integer(job)])
        try state(context)
    }

    /// The change holds for the next call, and for all that a retry begins again with.
    mutating func change(
        _ context: WriteContext, _ change: (JSON) throws -> [UInt8]
    ) throws {
        own = try change(JSON.parse(own, maxDepth: JSON.deepest))
        next = try next.map { try change(JSON.parse($0, maxDepth: JSON.deepest)) }
        _ = try context.connection.run(
            "UPDATE job_body SET request = ?2 WHERE job_id = ?1", [.integer(job), .blob(own)])
        if let next {
            _ = try context.connection.run(
                "UPDATE job_check SET request = ?2 WHERE job_id = ?1", [.integer(job), .blob(next)])
        }
        try state(context)
    }

    /// What the claim must know of it without reading it.
    private func state(_ context: WriteContext) throws {
        let json = try JSON.parse(bytes, maxDepth: JSON.deepest)
        // A longer request may cost more: what budgets reserve for it follows.
        let bound = CostBound(request: json)
        let prefix = bound.writes == .none ? nil : CachePrefix(request: json, betas: betas)
        _ = try context.connection.run(
            """
            UPDATE job
            SET request_bytes = ?2, prompt_hash = ?3, worst_input_tokens = ?4, cache_writes = ?5,
                worst_searches = ?6, prefix_hash = ?7, prefix_lifetime = ?8
            WHERE id = ?1
            """,
            [
                .integer(job), .integer(bytes.count),
                .blob(PromptHash(request: json, sample: sample, betas: betas).bytes),
                .integer(bound.inputTokens), .integer(bound.writes.rawValue), .integer(bound.webSearches),
                .blob(prefix?.hash), .integer(prefix?.lifetime),
            ])
    }
}
