import SQLite

/// What a database says of the jobs that were done in it; to be read when no process writes any more.
struct Finished {
    var jobs: Int
    /// From the first claim to the last settlement.
    var seconds: Double
    /// Bytes of the database, without free pages and without what requests and answers themselves take, for each job.
    var overheadBytes: Double

    /// Of the jobs that finished after the first so many.
    init(database path: String, after earlier: Int = 0) throws {
        let connection = try Connection(path: path, mode: .read)
        let row =
            try connection.queryOne(
                """
                SELECT count(*), coalesce(max(finished_at) - min(started_at), 0)
                FROM job
                WHERE state = 'succeeded' AND finish_order > coalesce(
                    (
                        SELECT max(finish_order)
                        FROM (
                            SELECT finish_order FROM job WHERE finish_order IS NOT NULL ORDER BY finish_order LIMIT ?1
                        )
                    ), 0)
                """, [.integer(earlier)]
            ) { row in (Int(row.int64(0)), Double(row.int64(1))) } ?? (0, 0)
        let pages = try Self.number("PRAGMA page_count", connection)
        let free = try Self.number("PRAGMA freelist_count", connection)
        let pageSize = try Self.number("PRAGMA page_size", connection)
        let requests = try Self.number("SELECT sum(length(request)) FROM job_body", connection)
        let answers = try Self.number("SELECT sum(length(body)) FROM answer", connection)
        jobs = row.0
        seconds = row.1 / 1000
        overheadBytes = ((pages - free) * pageSize - requests - answers) / Double(max(1, row.0))
    }

    private static func number(_ sql: SQL, _ connection: Connection) throws -> Double {
        Double(try connection.queryOne(sql) { row in row.int64(0) } ?? 0)
    }
}
