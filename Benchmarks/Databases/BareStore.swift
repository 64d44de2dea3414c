import SQLite

/// The least that any queue on SQLite would do, in a plain loop on one connection with renga's settings.
///
/// Rows as large as renga's, one index, and none of what renga knows about a job.
struct BareStore {
    private let connection: Connection
    private let request: [UInt8]
    private let hash = [UInt8](repeating: 7, count: 32)

    init(path: String, request: [UInt8]) throws {
        connection = try Connection(path: path)
        self.request = request
        try connection.execute(
            """
            CREATE TABLE job (id INTEGER PRIMARY KEY, lane INTEGER NOT NULL, rank INTEGER NOT NULL,
                state TEXT NOT NULL, hash BLOB NOT NULL, created_at INTEGER NOT NULL, run_at INTEGER NOT NULL,
                max_attempts INTEGER NOT NULL, max_tokens INTEGER NOT NULL, cache TEXT NOT NULL, answer_id INTEGER)
                STRICT;
            CREATE INDEX job_ready ON job (lane, rank, id) WHERE state = 'queued';
            CREATE TABLE body (job_id INTEGER PRIMARY KEY, request BLOB NOT NULL, fingerprint BLOB NOT NULL) STRICT;
            CREATE TABLE attempt (job_id INTEGER NOT NULL, number INTEGER NOT NULL, hash BLOB NOT NULL,
                opened_at INTEGER NOT NULL, lease_until INTEGER NOT NULL, closed_at INTEGER, cost INTEGER,
                PRIMARY KEY (job_id, number)) STRICT, WITHOUT ROWID;
            CREATE TABLE answer (id INTEGER PRIMARY KEY, hash BLOB NOT NULL, body BLOB NOT NULL) STRICT;
            """)
    }

    /// Jobs a second, so many of them to a transaction.
    func enqueue(_ count: Int, perTransaction: Int) throws -> Double {
        try rate(of: count) {
            for start in stride(from: 0, to: count, by: perTransaction) {
                try connection.transaction {
                    for number in start..<min(count, start + perTransaction) { try insert(number) }
                }
            }
        }
    }

    /// Claimed and settled jobs a second, so many to each of the two transactions that both take.
    func claimAndSettle(perTransaction: Int) throws -> Double {
        var done = 0
        let clock = ContinuousClock()
        let start = clock.now
        while true {
            let claimed = try connection.transaction { try claim(perTransaction) }
            if claimed.isEmpty { break }
            try connection.transaction { for job in claimed { try settle(job) } }
            done += claimed.count
        }
        return Double(done) / (clock.now - start).seconds
    }

    private func insert(_ number: Int) throws {
        try connection.run(
            """
            INSERT INTO job (lane, rank, state, hash, created_at, run_at, max_attempts, max_tokens, cache)
            VALUES (1, ?1, 'queued', ?2, ?1, ?1, 4, 64, 'use')
            """, [.integer(1_700_000_000_000 + number), .blob(hash)])
        try connection.run(
            "INSERT INTO body (job_id, request, fingerprint) VALUES (?1, ?2, ?3)",
            [.integer(connection.lastInsertRowID), .blob(request), .blob(hash)])
    }

    private func claim(_ count: Int) throws -> [Int64] {
        let jobs = try connection.query(
            """
            SELECT job.id, body.request
            FROM job JOIN body ON body.job_id = job.id
            WHERE lane = 1 AND state = 'queued'
            ORDER BY rank, id
            LIMIT ?1
            """, [.integer(count)]
        ) { row in
            _ = row.blob(1)
            return row.int64(0)
        }
        for job in jobs {
            try connection.run("UPDATE job SET state = 'running' WHERE id = ?1", [.integer(job)])
            try connection.run(
                "INSERT INTO attempt (job_id, number, hash, opened_at, lease_until) VALUES (?1, 1, ?2, ?3, ?3)",
                [.integer(job), .blob(hash), 1_700_000_000_000])
        }
        return jobs
    }

    private func settle(_ job: Int64) throws {
        try connection.run(
            "UPDATE attempt SET closed_at = ?2, cost = 5 WHERE job_id = ?1 AND number = 1",
            [.integer(job), 1_700_000_000_000])
        try connection.run(
            "INSERT INTO answer (hash, body) VALUES (?1, ?2)", [.blob(hash), .blob(Sample.answer)])
        try connection.run(
            "UPDATE job SET state = 'succeeded', answer_id = ?2 WHERE id = ?1",
            [.integer(job), .integer(connection.lastInsertRowID)])
    }

    private func rate(of count: Int, _ body: () throws -> Void) throws -> Double {
        Double(count) / (try ContinuousClock().measure(body)).seconds
    }
}

extension Connection {
    fileprivate func transaction<T>(_ body: () throws -> T) throws -> T {
        try run("BEGIN IMMEDIATE")
        let value = try body()
        try run("COMMIT")
        return value
    }
}
