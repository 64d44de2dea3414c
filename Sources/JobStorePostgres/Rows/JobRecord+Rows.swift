import Jobs
import Postgres
import StoreRules

extension AttemptRecord {
    static let columns = """
        attempt.job_id, attempt.number, attempt.route_id, attempt.queue_id, attempt.status, attempt.opened_at,
        attempt.prompt_hash, attempt.reserved_input, attempt.reserved_output, attempt.reserved_cost,
        attempt.unconfirmed_cost, attempt.mark_requests, attempt.mark_input, attempt.mark_output, attempt.mark_succeeded,
        attempt.home_route_id, attempt.fallback, attempt.budget_windows, attempt.provider_batch_id
        """
    static let columnCount = 19

    static func find(_ key: AttemptKey, _ access: Access) throws -> AttemptRecord? {
        try find([key], access).first
    }

    static func find(_ keys: [AttemptKey], _ access: Access) throws -> [AttemptRecord] {
        try access.query(
            .attemptsByKey, [.integers(keys.map(\.job.value)), .integers(keys.map(\.number))]
        ).map { row in try AttemptRecord(row) }
    }

    static func expired(at now: Moment, limit: Int, _ access: Access) throws -> [AttemptRecord] {
        try access.query(.expiredAttempts, [.integer(now.milliseconds), .integer(limit)]).map { row in
            try AttemptRecord(row)
        }
    }

    init(_ row: Row) throws {
        let opened = try row.int64(5)
        self.init(
            key: AttemptKey(job: JobID(try row.int64(0)), number: try row.int(1)), route: try row.int64(2),
            queue: try row.int64(3), status: Attempt.Status(rawValue: try row.text(4)) ?? .settled,
            openedAt: Moment(epoch: DatabaseTime.epoch, milliseconds: opened),
            openedOn: Timestamp(milliseconds: opened), promptHash: try row.bytesOrNil(6),
            need: RouteLedger.Need(input: try row.double(7), output: try row.double(8)),
            reservedCost: try row.int64(9), unconfirmedCost: try row.int64(10),
            marks: RouteLedger.Marks(
                requests: try row.double(11), input: try row.double(12), output: try row.double(13),
                succeeded: try row.int(14)),
            windows: try row.int64s(17).compactMap(\.self), home: try row.int64(15),
            position: try row.int(16), providerBatch: try row.int64OrNil(18))
    }
}

enum WantedAttempts {
    /// The values of a column in attempts whose jobs and numbers are the first two parameters, as an array.
    static func values(of column: String) -> String {
        """
        ARRAY(
            SELECT \(column)
            FROM unnest($1::bigint[], $2::bigint[]) AS wanted (job_id, number)
            CROSS JOIN LATERAL (
                SELECT route_id, queue_id, budget_windows
                FROM whole_attempt
                WHERE whole_attempt.job_id = wanted.job_id AND whole_attempt.number = wanted.number
            ) AS attempt
        )
        """
    }
}

extension JobRecord {
    /// Of `whole_job` as `job`, and its lane.
    static let columns = """
        job.id, job.lane_id, job.state, job.attempt, job.attempts_counted, job.max_attempts, job.crash_count,
        job.batch_id, job.prompt_hash, job.request_bytes, job.finish_order, job.failures, job.run_at,
        job.answer_id, job.prefix_hash, job.prefix_lifetime, job.blame_route_id, job.blame_mark, job.forgiven,
        job.max_tokens, job.fallback, lane.queue_id, lane.route_id, lane.budget, lane.kind, lane.owner,
        lane.batch_id, ARRAY(SELECT tag FROM job_tag WHERE job_tag.job_id = job.id ORDER BY tag), job.has_check
        """

    static func find(_ id: Int64, _ access: Access) throws -> JobRecord? { try find([id], access).first }

    /// In the order of their ids.
    static func find(_ ids: [Int64], _ access: Access) throws -> [JobRecord] {
        guard !ids.isEmpty else { return [] }
        return try access.query(.jobRecords, [.integerArray(ids)]).map { row in
            try JobRecord(row, from: 0)
        }
    }

    init(_ row: Row, from first: Int) throws {
        self.init(
            id: try row.int64(first), lane: try row.int64(first + 1),
            place: try LanePlace(row, from: first + 21),
            state: JobState(rawValue: try row.text(first + 2)) ?? .failed, attempt: try row.int(first + 3),
            attemptsCounted: try row.int(first + 4), maxAttempts: try row.int(first + 5),
            crashCount: try row.int(first + 6), batch: try row.int64OrNil(first + 7),
            promptHash: try row.bytes(first + 8), requestBytes: try row.int(first + 9),
            maxTokens: try row.int(first + 19), failures: try row.int(first + 11),
            finishOrder: try row.int64OrNil(first + 10), runAt: try row.timestamp(first + 12),
            answer: try row.int64OrNil(first + 13), prefix: try CachePrefix(row, from: first + 14),
            blame: try row.int64OrNil(first + 16).map {
                JobBlame(route: $0, mark: try row.int(first + 17))
            },
            forgiven: try row.int(first + 18), position: try row.int(first + 20),
            tags: try row.texts(first + 27).compactMap(\.self), hasCheck: try row.bool(first + 28))
    }
}

extension LanePlace {
    /// Queue, route, budget, kind, owner and batch, in this order.
    init(_ row: Row, from first: Int) throws {
        self.init(
            queue: try row.int64(first), route: try row.int64(first + 1), budget: try row.text(first + 2),
            kind: LaneKind(rawValue: try row.text(first + 3)) ?? .common,
            owner: try row.int64OrNil(first + 4), batch: try row.int64OrNil(first + 5))
    }
}

extension CachePrefix {
    /// Out of two columns; nil if the job has none.
    init?(_ row: Row, from first: Int) throws {
        guard let hash = try row.bytesOrNil(first), let lifetime = try row.int64OrNil(first + 1) else {
            return nil
        }
        self.init(hash: hash, lifetime: lifetime)
    }
}

extension Statement {
    fileprivate static let attemptsByKey = Statement(
        "attempts-by-key",
        assembled: """
            SELECT \(AttemptRecord.columns)
            FROM unnest($1::bigint[], $2::bigint[]) AS wanted (job_id, number)
            CROSS JOIN LATERAL (
                SELECT *
                FROM whole_attempt
                WHERE whole_attempt.job_id = wanted.job_id AND whole_attempt.number = wanted.number
            ) AS attempt
            """, [.bigints, .bigints], isKept: true)
    fileprivate static let expiredAttempts = Statement(
        "expired-attempts",
        assembled: """
            SELECT \(AttemptRecord.columns)
            FROM (
                SELECT *, 'open'::text COLLATE "C" AS status, 0::bigint AS unconfirmed_cost
                FROM flight
                WHERE provider_batch_id IS NULL AND lease_until <= $1::bigint
                ORDER BY lease_until
                LIMIT $2::bigint
            ) AS attempt
            """, [.bigint, .bigint], isKept: true)
    fileprivate static let jobRecords = Statement(
        "job-records",
        assembled: """
            SELECT \(JobRecord.columns)
            FROM whole_job AS job
            JOIN lane ON lane.id = job.lane_id
            WHERE job.id = ANY ($1::bigint[])
            ORDER BY job.id
            """, [.bigints], isKept: true)
}
