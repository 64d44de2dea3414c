import Jobs
import SQLite
import StoreRules

extension CachedAnswer {
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
}

extension CachedAnswer {
    fileprivate init(_ row: borrowing Row) {
        self.init(id: row.int64(0), cost: row.int64(1), createdAt: Timestamp(milliseconds: row.int64(2)))
    }
}
