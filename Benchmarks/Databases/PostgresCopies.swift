import Jobs
import Postgres

/// Very many jobs in a database on PostgreSQL: one that renga took in, or did, and copies of its rows, made by the server itself.
struct PostgresCopies {
    private let connection: Connection

    /// Ids are a millisecond's share apart.
    private static let distance = 1 << 20
    /// Millions of rows take minutes.
    private static let patience = TripLimits(milliseconds: 1_800_000)

    init(_ place: PostgresPlace) throws {
        connection = try place.connect()
    }

    /// Copies of a job that waits, all of which can be claimed before it.
    func queue(_ count: Int, like job: JobID) throws {
        try copy(job, count, state: "queued", tables: ["job": "id", "waiting": "job_id"])
    }

    /// Copies of a job that succeeded, older than it.
    func finish(_ count: Int, like job: JobID) throws {
        try copy(
            job, count, state: "succeeded",
            tables: ["job": "id", "attempt": "job_id", "answer": "job_id", "ended": "job_id"])
    }

    /// As autovacuum would leave it in time, and with all of it on disk.
    func settleDown() throws {
        try connection.execute(script: "VACUUM ANALYZE", limits: Self.patience)
        try connection.execute(script: "CHECKPOINT", limits: Self.patience)
    }

    /// All of them are older than the original, each by a millisecond.
    private func copy(_ job: JobID, _ count: Int, state: String, tables: [String: String]) throws {
        for (table, key) in tables.sorted(by: { $0.key < $1.key }) {
            let columns = try connection.run([Call(.columns) { $0.add(table) }])[0].map { try $0.text(0) }
            let values = columns.map { column in
                switch (table, column) {
                case (_, key): "\(column) - n * \(Self.distance)"
                case ("answer", "id"): "nextval(pg_get_serial_sequence('answer', 'id'))"
                case (_, "prompt_hash"), (_, "fingerprint"): "sha256(convert_to('\(state)' || n, 'UTF8'))"
                case ("ended", "finish_order"), (_, "rank"): "\(column) - n"
                default: column
                }
            }
            try connection.execute(
                script: """
                    INSERT INTO \(table) (\(columns.joined(separator: ", ")))
                    SELECT \(values.joined(separator: ", "))
                    FROM \(table), generate_series(1::bigint, \(count)::bigint) AS n
                    WHERE \(key) = \(job.value)
                    """, limits: Self.patience)
        }
        try connection.execute(
            script: """
                INSERT INTO lane_tally_part (lane_id, state, jobs)
                SELECT lane_id, '\(state)', \(count)
                FROM \(state == "queued" ? "waiting" : "ended") WHERE job_id = \(job.value)
                ON CONFLICT (lane_id, state, writer) DO UPDATE SET jobs = lane_tally_part.jobs + excluded.jobs
                """)
    }
}

extension Statement {
    fileprivate static let columns = Statement(
        "columns",
        """
        SELECT attname::text FROM pg_attribute
        WHERE attrelid = to_regclass($1::text) AND attnum > 0 AND NOT attisdropped
        ORDER BY attnum
        """, .text)
}
