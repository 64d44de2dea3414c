import Jobs
import SQLite

/// What the database says happened.
struct Record: Sendable {
    let source: any RecordSource

    init(_ source: any RecordSource) {
        self.source = source
    }

    /// That of a file.
    init(path: String) {
        source = RecordFile(path: path)
    }

    /// A job at the end, without what a late answer may add to it.
    struct Status: Equatable, Sendable {
        let id: Int64
        let state: String
        let attempt: Int
        let answer: Int64?
        let finishOrder: Int64?
        let finishedAt: Int64?
    }

    func jobs() async throws -> [Status] {
        try await rows("SELECT id, state, attempt, answer_id, finish_order, finished_at FROM job ORDER BY id")
        { row in
            Status(
                id: row.int64(0), state: row.text(1), attempt: row.int(2), answer: row.int64OrNil(3),
                finishOrder: row.int64OrNil(4), finishedAt: row.int64OrNil(5))
        }
    }

    /// The jobs, as callers know them.
    func names() async throws -> Set<String> {
        Set(try await jobs().map { JobID($0.id).description })
    }

    func count(of state: String) async throws -> Int {
        try await source.number(
            "SELECT count(*) FROM job WHERE state = ?1", [.text(state)],
            onServer: "SELECT count(*) FROM job_place WHERE state = '\(state)'")
    }

    /// How many of one queue's jobs finished after this place in the order of finishing.
    func finished(in queue: String, after place: Int = 0, upTo last: Int = .max) async throws -> Int {
        try await number(
            """
            SELECT count(*)
            FROM job JOIN queue ON queue.id = job.queue_id
            WHERE queue.name = ?1 AND job.finish_order > ?2 AND job.finish_order <= ?3
            """, [.text(queue), .integer(Int64(place)), .integer(Int64(last))])
    }

    /// The last place in the order of finishing that one queue's jobs have.
    func lastFinish(in queue: String) async throws -> Int {
        try await number(
            """
            SELECT coalesce(max(finish_order), 0)
            FROM job JOIN queue ON queue.id = job.queue_id
            WHERE queue.name = ?1
            """, [.text(queue)])
    }

    func unfinished(in queue: String) async throws -> Int {
        try await number(
            """
            SELECT count(*)
            FROM job JOIN queue ON queue.id = job.queue_id
            WHERE queue.name = ?1 AND job.finish_order IS NULL
            """, [.text(queue)])
    }

    func unfinished() async throws -> Int {
        try await source.number(
            "SELECT count(*) FROM job WHERE finish_order IS NULL", [],
            onServer: "(SELECT count(*) FROM waiting) + (SELECT count(*) FROM running)")
    }

    /// As the tallies have it, which costs the same whatever there is.
    func waiting() async throws -> Int {
        let question = "SELECT coalesce(sum(jobs), 0) FROM lane_tally WHERE state IN ('queued', 'running')"
        return try await source.number(SQL(question), [], onServer: question)
    }

    /// Jobs that succeeded without exactly one attempt that did: the cache was not in play.
    func notSettledOnce() async throws -> Int {
        try await number(
            """
            SELECT count(*)
            FROM job
            WHERE cached = 0 AND state = 'succeeded'
                AND (SELECT count(*) FROM attempt WHERE job_id = job.id AND verdict = 'succeeded') <> 1
            """)
    }

    /// Attempts that no worker closed: open, or written off when the lease ran out.
    func openAttempts(ofProcess pid: Int32) async throws -> Int {
        let count = "SELECT count(*) FROM attempt JOIN worker ON worker.id = attempt.worker_id"
        let place = "worker.process_id = \(pid)"
        return try await source.number(
            SQL("\(count) WHERE \(place) AND attempt.status = 'open'"), [],
            onServer: "SELECT count(*) FROM flight JOIN worker ON worker.id = worker_id WHERE \(place)")
    }

    func attempts(status: String) async throws -> Int {
        try await number("SELECT count(*) FROM attempt WHERE status = ?1", [.text(status)])
    }

    /// Calls that were made or may have been, without a cent for them or a reserve for what they may have cost.
    func unbooked() async throws -> Int {
        try await number(
            """
            SELECT count(*)
            FROM attempt
            WHERE status <> 'open' AND verdict <> 'handed_back' AND cost = 0 AND unconfirmed_cost = 0
            """)
    }

    /// By verdict, how many attempts and how many of them counted.
    func verdicts() async throws -> [String: (attempts: Int, counted: Int)] {
        let rows = try await rows(
            "SELECT coalesce(verdict, 'open'), count(*), sum(counted) FROM attempt GROUP BY 1"
        ) { row in (row.text(0), row.int(1), row.int(2)) }
        return Dictionary(uniqueKeysWithValues: rows.map { ($0.0, ($0.1, $0.2)) })
    }

    /// Attempts that were blamed and did not succeed.
    func blamed() async throws -> Int {
        try await number("SELECT count(*) FROM attempt WHERE counted = 1 AND verdict <> 'succeeded'")
    }

    /// Calls and nanodollars of all times, of pruned jobs too.
    func spent() async throws -> (calls: Int, cost: Int, unconfirmedCost: Int) {
        let rows = try await rows(
            "SELECT coalesce(sum(calls), 0), coalesce(sum(cost), 0), coalesce(sum(unconfirmed_cost), 0) FROM spend"
        ) { row in (row.int(0), row.int(1), row.int(2)) }
        return rows.first ?? (0, 0, 0)
    }

    /// How everything stands, for a test's log.
    func summary() async throws -> String {
        let jobs = try await rows("SELECT state, ready, count(*) FROM job GROUP BY 1, 2") { row in
            "\(row.text(0))\(row.bool(1) ? " ready" : "") \(row.int(2))"
        }
        let attempts = try await rows("SELECT coalesce(verdict, 'open'), count(*) FROM attempt GROUP BY 1") {
            row in
            "\(row.text(0)) \(row.int(1))"
        }
        let routes = try await rows("SELECT gate, running, succeeded, gate_failures, gate_trips FROM route") {
            row in
            "gate \(row.text(0)), running \(row.int(1)), succeeded \(row.int(2)), failures \(row.int(3)), trips \(row.int(4))"
        }
        return "jobs: \(jobs); attempts: \(attempts); routes: \(routes)"
    }

    func schemaVersion() async throws -> Int { try await number("PRAGMA user_version") }

    func number(_ sql: SQL, _ values: [Value] = []) async throws -> Int {
        try await rows(sql, values) { $0.int(0) }.first ?? 0
    }

    func rows<T: Sendable>(
        _ sql: SQL, _ values: [Value] = [], _ decode: @escaping @Sendable (borrowing Row) throws -> T
    ) async throws -> [T] {
        try await source.read { connection in try connection.query(sql, values, decode) }
    }
}

extension Scenario {
    var record: Record { Record(source) }

    /// As it is now, for many questions.
    func stillRecord() async throws -> Record {
        let path = "\(folder.path)/still-\(UInt32.random(in: 0...UInt32.max)).db"
        return Record(try await source.still(at: path))
    }

    func allFinished(within bound: Duration) async throws {
        let record = record
        try await eventually("every job is finished", within: bound, every: .milliseconds(100)) {
            try await record.unfinished() == 0
        }
    }
}
