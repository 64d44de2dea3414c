import SQLite

/// What the database says of routes, queues and whoever holds a call.
extension Record {
    /// The processes that hold open attempts.
    func holders() async throws -> [Int32] {
        try await rows(
            """
            SELECT DISTINCT worker.process_id
            FROM attempt JOIN worker ON worker.id = attempt.worker_id
            WHERE attempt.status = 'open'
            """
        ) { row in Int32(row.int(0)) }
    }

    /// What was refused where jobs are held back.
    func heldBack() async throws -> [String] {
        try await rows("SELECT message FROM refusal_streak WHERE held_since IS NOT NULL") { row in row.text(0)
        }
    }

    /// The gates of all routes that ever had a call, and of keys that are refused.
    func gates() async throws -> [String] {
        try await rows(
            "SELECT gate FROM route UNION ALL SELECT 'credential' FROM credential WHERE refused = 1"
        ) { row in row.text(0) }
    }

    /// By provider, how many jobs its answers ended.
    func answered() async throws -> [String: Int] {
        let rows = try await rows(
            """
            SELECT route.provider, count(*)
            FROM job
            JOIN answer ON answer.id = job.answer_id
            JOIN route ON route.id = answer.route_id
            GROUP BY route.provider
            """
        ) { row in (row.text(0), row.int(1)) }
        return Dictionary(uniqueKeysWithValues: rows)
    }
}
