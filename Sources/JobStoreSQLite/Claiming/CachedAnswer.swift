import Jobs
import SQLite

/// An answer that was stored, as the claim needs it.
struct CachedAnswer {
    let id: Int64
    let cost: Int64
    let createdAt: Timestamp

    /// The newest living answer to this prompt on this route.
    static func find(_ hash: [UInt8], route: Int64, now: Timestamp, _ connection: Connection) throws
        -> CachedAnswer?
    {
        for id in try RecentAnswers.of(connection).answers(to: hash, connection) {
            let found = try connection.queryOne(
                """
                SELECT id, cost, created_at
                FROM answer
                WHERE id = ?1 AND prompt_hash = ?2 AND route_id = ?3 AND expires_at > ?4
                """, [.integer(id), .blob(hash), .integer(route), .integer(now.milliseconds)]
            ) { row in CachedAnswer(row) }
            if let found { return found }
        }
        return try connection.queryOne(
            """
            SELECT answer.id, answer.cost, answer.created_at
            FROM answer_prompt
            CROSS JOIN answer ON answer.id = answer_prompt.answer_id
            WHERE answer_prompt.prompt = substr(?1, 1, 8) AND answer.prompt_hash = ?1 AND answer.route_id = ?2
                AND answer.expires_at > ?3
            ORDER BY answer_prompt.answer_id DESC
            LIMIT 1
            """, [.blob(hash), .integer(route), .integer(now.milliseconds)]
        ) { row in CachedAnswer(row) }
    }

    /// Stores an answer once; returns its id.
    ///
    /// Without a hash it is only its own job's.
    static func insert(
        _ answer: Answer, hash: [UInt8]?, route: Int64, job: Int64, cost: Int64, uses: Int,
        _ context: WriteContext
    ) throws -> Int64 {
        let now = context.now.timestamp
        _ = try context.connection.run(
            """
            INSERT INTO answer (
                route_id, prompt_hash, job_id, model, body, input_tokens, output_tokens, cache_write_tokens,
                cache_write_1h_tokens, cache_read_tokens, cost, created_at, expires_at, uses
            )
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
            """,
            [
                .integer(route), .blob(hash), .integer(job), .text(answer.model), .blob(answer.body),
                .integer(answer.usage.inputTokens), .integer(answer.usage.outputTokens),
                .integer(answer.usage.cacheWriteTokens), .integer(answer.usage.cacheWrite1hTokens),
                .integer(answer.usage.cacheReadTokens), .integer(cost), .integer(now.milliseconds),
                .integer(now.milliseconds + context.settings.cacheTTL), .integer(uses),
            ])
        let id = context.connection.lastInsertRowID
        if let hash { try context.note(answer: id, to: hash) }
        return id
    }
}

extension CachedAnswer {
    fileprivate init(_ row: borrowing Row) {
        self.init(id: row.int64(0), cost: row.int64(1), createdAt: Timestamp(milliseconds: row.int64(2)))
    }
}
