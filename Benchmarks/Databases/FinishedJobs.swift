import JobStoreSQLite
import Jobs
import SQLite

/// Very many finished jobs: a thousand that renga did, and copies of their rows; and a few that are older than all of them.
///
/// Every tenth is of the queue `second`, every second has the tag `common`, every fourth is of the batch `crowd`; every
/// hundredth has failed, one in two of these with that tag and of that batch.
enum FinishedJobs {
    private static let originals = 1_000
    /// Far more than the ids of one millisecond.
    private static let distance: Int64 = 1 << 40
    private static let age: Milliseconds = 60 * 86_400_000

    /// No other process uses the file meanwhile; returns how many there are then.
    static func make(_ count: Int, path: String) async throws -> Int {
        let rare = try await fillRare(path)
        let store = try await SQLiteJobStore(path: path, clock: MachineClock())
        let first = try await fill(store, rare)
        await store.close()
        let copies = max(0, count / originals - 1)
        let connection = try Connection(path: path, mode: .write)
        try connection.execute("BEGIN IMMEDIATE")
        for table in tables { try copy(table, from: first, copies, connection) }
        try connection.execute(
            """
            UPDATE lane_tally
            SET jobs = jobs * \(copies + 1)
            WHERE lane_id IN (SELECT lane_id FROM job WHERE id BETWEEN \(first) AND \(first + distance / 2));
            UPDATE batch_tally SET jobs = jobs * \(copies + 1);
            DELETE FROM answer_recent WHERE number < (SELECT max(number) FROM answer_recent);
            INSERT OR IGNORE INTO answer_prompt (prompt, answer_id)
            SELECT substr(prompt_hash, 1, 8), id FROM answer WHERE prompt_hash IS NOT NULL ORDER BY 1, 2;
            COMMIT;
            """)
        return (copies + 1) * originals + Rare.count
    }

    /// What was rare, and is long ago.
    enum Rare {
        static let name = "rare"
        static let model = "claude-sonnet-5"
        static let errorType = "request_too_large"
        static let count = 20
    }

    private static func fillRare(_ path: String) async throws -> [JobID] {
        let store = try await SQLiteJobStore(path: path, clock: MachineClock(behind: age))
        let rare = try Sample.jobs(0..<Rare.count, for: Sample.service()).map { job in
            var job = job
            (job.queue, job.tags) = (Rare.name, [Rare.name])
            job.route = RouteKey(service: Sample.service(), model: Rare.model)
            return job
        }
        let ids = try await store.enqueue(rare, atomically: true).compactMap(\.id)
        await store.close()
        return ids
    }

    /// The first id of those that are to be copied; some of the rare ones fail.
    private static func fill(_ store: SQLiteJobStore, _ rare: [JobID]) async throws -> Int64 {
        let batch = try await store.createBatch(name: "crowd", metadata: nil).id
        let jobs = try (0..<originals).map { number in
            var job = try Sample.job(1_000 + number, for: Sample.service())
            if number.isMultiple(of: 10) { job.queue = "second" }
            if number.isMultiple(of: 2) { job.tags = ["common"] }
            if number.isMultiple(of: 4) { job.batch = batch }
            return job
        }
        let new = try await store.enqueue(jobs, atomically: true)
        var failing: [JobID: String] = [:]
        for (number, outcome) in new.enumerated() where [8, 107].contains(number % 200) {
            if let id = outcome.id { failing[id] = "invalid_request_error" }
        }
        for id in rare.prefix(3) { failing[id] = Rare.errorType }
        _ = try await Claiming(store).drain(failing: failing)
        guard let first = new.first?.id else { throw BenchmarkError("no job was taken in") }
        return first.value
    }

    /// What a copy has of its own, besides the id.
    private struct Copied {
        let table: String
        let id: String
        let changes: [String: String]
    }

    private static let tables = [
        Copied(
            table: "job", id: "id",
            changes: [
                "answer_id": "answer_id + n.i * 1000000", "finish_order": shift("finish_order"),
                "prompt_hash": "randomblob(32)", "batch_ordinal": "batch_ordinal + n.i * 1000000",
            ]),
        Copied(table: "job_body", id: "job_id", changes: [:]),
        Copied(table: "job_tag", id: "job_id", changes: [:]),
        Copied(table: "attempt", id: "job_id", changes: ["prompt_hash": "randomblob(32)"]),
        Copied(
            table: "answer", id: "job_id",
            changes: ["id": "id + n.i * 1000000", "prompt_hash": "randomblob(32)"]),
    ]

    private static func shift(_ column: String) -> String { "\(column) - n.i * \(distance)" }

    private static func copy(_ copied: Copied, from first: Int64, _ copies: Int, _ connection: Connection)
        throws
    {
        let columns = try connection.query(
            "SELECT name FROM pragma_table_info(?1) ORDER BY cid", [.text(copied.table)]
        ) { row in row.text(0) }
        var changes = copied.changes
        changes[copied.id] = shift(copied.id)
        try connection.execute(
            """
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(copies))
            INSERT INTO \(copied.table) (\(columns.joined(separator: ", ")))
            SELECT \(columns.map { changes[$0] ?? $0 }.joined(separator: ", "))
            FROM (SELECT * FROM \(copied.table) WHERE \(copied.id) >= \(first)), n
            """)
    }
}
