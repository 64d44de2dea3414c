import JobStoreSQLite
import Jobs
import SQLite

/// Very many finished jobs: a thousand that renga did, and copies of their rows.
enum FinishedCrowd {
    private static let originals = 1_000
    /// Far more than the ids of one millisecond.
    private static let distance: Int64 = 1 << 40

    /// The file is nobody else's meanwhile; returns how many there are then.
    static func make(_ count: Int, path: String, _ bench: Bench) async throws -> Int {
        let store = try await SQLiteJobStore(path: path)
        try await bench.fill(store, originals, for: Sample.service())
        _ = try await Claiming(bench, store).drain()
        await store.close()
        let copies = max(0, count / originals - 1)
        let connection = try Connection(path: path, mode: .write)
        try connection.execute("BEGIN IMMEDIATE")
        try copy(
            "job",
            [
                "id": shift("id"), "answer_id": "answer_id + n.i * 1000000",
                "finish_order": shift("finish_order"), "prompt_hash": "randomblob(32)",
            ], copies, connection)
        try copy("job_body", ["job_id": shift("job_id")], copies, connection)
        try copy("attempt", ["job_id": shift("job_id"), "prompt_hash": "randomblob(32)"], copies, connection)
        try copy(
            "answer",
            [
                "id": "id + n.i * 1000000", "job_id": shift("job_id"),
                "prompt_hash": "randomblob(32)",
            ], copies, connection)
        try connection.execute(
            "UPDATE lane_tally SET jobs = jobs * \(copies + 1) WHERE state = 'succeeded'")
        try connection.execute(
            """
            DELETE FROM answer_fresh WHERE number < (SELECT max(number) FROM answer_fresh);
            INSERT OR IGNORE INTO answer_prompt (prompt, answer_id)
            SELECT substr(prompt_hash, 1, 8), id FROM answer WHERE prompt_hash IS NOT NULL ORDER BY 1, 2;
            COMMIT;
            """)
        return (copies + 1) * originals
    }

    private static func shift(_ column: String) -> String { "\(column) - n.i * \(distance)" }

    private static func copy(
        _ table: String, _ changes: [String: String], _ copies: Int, _ connection: Connection
    ) throws {
        let columns = try connection.query(
            "SELECT name FROM pragma_table_info(?1) ORDER BY cid", [.text(table)]
        ) { row in row.text(0) }
        try connection.execute(
            """
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(copies))
            INSERT INTO \(table) (\(columns.joined(separator: ", ")))
            SELECT \(columns.map { changes[$0] ?? $0 }.joined(separator: ", "))
            FROM (SELECT * FROM \(table)), n
            """)
    }
}
