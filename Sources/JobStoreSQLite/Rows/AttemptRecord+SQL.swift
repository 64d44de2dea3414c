import Jobs
import SQLite
import StoreRules

extension AttemptRecord {
    fileprivate static let columns = """
        attempt.job_id, attempt.number, attempt.route_id, attempt.queue_id, attempt.status, attempt.boot,
        attempt.opened_moment, attempt.prompt_hash, attempt.reserved_input, attempt.reserved_output,
        attempt.reserved_cost, attempt.unconfirmed_cost, attempt.mark_requests, attempt.mark_input,
        attempt.mark_output, attempt.mark_succeeded, attempt.home_route_id, attempt.fallback,
        attempt.budget_windows, attempt.opened_at, attempt.provider_batch_id
        """
    fileprivate static let columnCount = 21
    private static let expired = SQL(
        """
        SELECT \(columns)
        FROM attempt
        WHERE status = 'open' AND provider_batch_id IS NULL AND (lease_until <= ?1 OR boot <> ?2)
        ORDER BY lease_until
        LIMIT ?3
        """)

    private static let byKey = SQL("SELECT \(columns) FROM attempt WHERE job_id = ?1 AND number = ?2")

    static func find(_ key: AttemptKey, _ connection: Connection) throws -> AttemptRecord? {
        try connection.queryOne(byKey, [.integer(key.job.value), .integer(key.number)]) { row in
            AttemptRecord(row)
        }
    }

    static func expired(at now: Moment, limit: Int, _ connection: Connection) throws -> [AttemptRecord] {
        try connection.query(
            expired, [.integer(now.milliseconds), .integer(now.epoch), .integer(limit)]
        ) { row in AttemptRecord(row) }
    }

    fileprivate init(_ row: borrowing Row) {
        self.init(
            key: AttemptKey(job: JobID(row.int64(0)), number: row.int(1)), route: row.int64(2),
            queue: row.int64(3), status: Attempt.Status(rawValue: row.text(4)) ?? .settled,
            openedAt: Moment(epoch: row.int64(5), milliseconds: row.int64(6)),
            openedOn: Timestamp(milliseconds: row.int64(19)), promptHash: row.blobOrNil(7),
            need: RouteLedger.Need(input: row.double(8), output: row.double(9)),
            reservedCost: row.int64(10), unconfirmedCost: row.int64(11),
            marks: RouteLedger.Marks(
                requests: row.double(12), input: row.double(13), output: row.double(14),
                succeeded: row.int(15)),
            windows: Self.windows(row.textOrNil(18)), home: row.int64(16), position: row.int(17),
            providerBatch: row.int64OrNil(20))
    }

    /// As an attempt names them: `,1,2,`.
    static func windows(_ names: String?) -> [Int64] {
        names?.split(separator: ",").compactMap { Int64($0) } ?? []
    }
}

extension JobRecord {
    fileprivate static let columns = """
        job.id, job.lane_id, job.state, job.attempt, job.attempts_counted, job.max_attempts, job.crash_count,
        job.batch_id, job.prompt_hash, job.request_bytes, job.finish_order, job.failures, job.run_at,
        job.answer_id, job.prefix_hash, job.prefix_lifetime, job.blame_route_id, job.blame_mark, job.forgiven,
        job.max_tokens, job.fallback, lane.queue_id, lane.route_id, lane.budget, lane.kind, lane.owner,
        lane.batch_id,
        (SELECT group_concat(tag, char(10)) FROM job_tag WHERE job_tag.job_id = job.id),
        EXISTS (SELECT 1 FROM job_check WHERE job_check.job_id = job.id)
        """
    private static let byID = SQL(
        "SELECT \(columns) FROM job JOIN lane ON lane.id = job.lane_id WHERE job.id = ?1")

    static func find(_ id: Int64, _ connection: Connection) throws -> JobRecord? {
        try connection.queryOne(byID, [.integer(id)]) { row in JobRecord(row, from: 0) }
    }

    fileprivate init(_ row: borrowing Row, from first: Int) {
        self.init(
            id: row.int64(first), lane: row.int64(first + 1), place: LanePlace(row, from: first + 21),
            state: JobState(rawValue: row.text(first + 2)) ?? .failed, attempt: row.int(first + 3),
            attemptsCounted: row.int(first + 4), maxAttempts: row.int(first + 5),
            crashCount: row.int(first + 6), batch: row.int64OrNil(first + 7),
            promptHash: row.blob(first + 8), requestBytes: row.int(first + 9),
            maxTokens: row.int(first + 19), failures: row.int(first + 11),
            finishOrder: row.int64OrNil(first + 10), runAt: Timestamp(milliseconds: row.int64(first + 12)),
            answer: row.int64OrNil(first + 13), prefix: CachePrefix(row, from: first + 14),
            blame: row.int64OrNil(first + 16).map { JobBlame(route: $0, mark: row.int(first + 17)) },
            forgiven: row.int(first + 18), position: row.int(first + 20),
            tags: row.textOrNil(first + 27)?.split(separator: "\n").map(String.init) ?? [],
            hasCheck: row.bool(first + 28))
    }
}

/// An attempt with its job, as a settlement loads them in one statement.
enum AttemptWithJob {
    private static let byKey = SQL(
        """
        SELECT \(AttemptRecord.columns), \(JobRecord.columns)
        FROM attempt
        JOIN job ON job.id = attempt.job_id
        JOIN lane ON lane.id = job.lane_id
        WHERE attempt.job_id = ?1 AND attempt.number = ?2
        """)

    static func find(
        _ key: AttemptKey, _ connection: Connection
    ) throws -> (attempt: AttemptRecord, job: JobRecord)? {
        try connection.queryOne(byKey, [.integer(key.job.value), .integer(key.number)]) { row in
            (AttemptRecord(row), JobRecord(row, from: AttemptRecord.columnCount))
        }
    }
}

extension LanePlace {
    /// Queue, route, budget, kind, owner and batch, in this order.
    init(_ row: borrowing Row, from first: Int) {
        self.init(
            queue: row.int64(first), route: row.int64(first + 1), budget: row.text(first + 2),
            kind: LaneKind(rawValue: row.text(first + 3)) ?? .common, owner: row.int64OrNil(first + 4),
            batch: row.int64OrNil(first + 5))
    }
}
