import Jobs
import Postgres

/// Where finished jobs are, some of them behind a place.
struct ResultPlaces {
    private let access: Access
    private let after: Int64
    private let horizon: Int64
    private let limit: Int

    /// Entries of the order of finishing that one round trip looks through at first, and at most.
    private static let firstLook = 1_000
    private static let longestLook = 64_000

    struct Place {
        let cursor: Int64
        let job: Int64
    }

    init(_ access: Access, after: Int64, below horizon: Int64, limit: Int) {
        self.access = access
        self.after = after
        self.horizon = horizon
        self.limit = limit
    }

    func find(_ query: ResultsQuery) throws -> [Place] {
        switch query.source {
        case .all:
            let values: [Value] = [.integer(after), .integer(horizon), .integer(limit)]
            return try access.query(.finishedJobs, values).map(Place.init)
        case .batch(let batch) where query.inputOrder:
            let values: [Value] = [.integer(batch.value), .integer(after), .integer(limit)]
            return try access.query(.jobsInInputOrder, values).map(Place.init)
        case .batch(let batch): return try find(batch)
        case .queue(let name): return try find(queue: name)
        }
    }

    private func find(_ batch: BatchID) throws -> [Place] {
        let ended = try Search(JobFilter(batch: batch), in: Self.ended, access).size(of: batch)
        return try either(
            ended, many: .finishedOfBatch, few: .sortedOfBatch, .integer(batch.value))
    }

    private func find(queue name: String) throws -> [Place] {
        let standings = try Standing.find(JobFilter(queue: name), in: Set(Self.ended), access)
        let lanes = Array(Set(standings.map(\.lane))).sorted()
        return try either(
            standings.total, many: .finishedOfLanes, few: .sortedOfLanes, .integerArray(lanes))
    }

    private static let ended: [JobState] = [.succeeded, .failed, .cancelled]

    /// Few jobs among many others are sorted; of many, some are soon met in the order of finishing.
    ///
    /// It is looked through as many entries as there are jobs to sort, before they are.
    private func either(
        _ jobs: Int, many: Statement, few: Statement, _ which: Value
    ) throws -> [Place] {
        guard jobs > 0 else { return [] }
        var (found, behind, met, look): ([Place], Int64, Int, Int) = ([], after, 0, Self.firstLook)
        while met < jobs {
            let values: [Value] = [
                which, .integer(behind), .integer(horizon), .integer(look), .integer(limit - found.count),
            ]
            guard let row = try access.query(many, values).first else { return found }
            found += zip(try row.int64s(2), try row.int64s(3)).compactMap(Place.init)
            guard found.count < limit, try row.int(0) == look, let last = try row.int64OrNil(1) else {
                return found
            }
            (behind, met, look) = (last, met + look, min(2 * look, Self.longestLook))
        }
        let values: [Value] = [which, .integer(after), .integer(horizon), .integer(limit)]
        return try access.query(few, values).map(Place.init)
    }
}

extension ResultPlaces.Place {
    init(_ row: Row) throws {
        self.init(cursor: try row.int64(0), job: try row.int64(1))
    }

    init?(_ cursor: Int64?, _ job: Int64?) {
        guard let cursor, let job else { return nil }
        self.init(cursor: cursor, job: job)
    }
}

extension Statement {
    fileprivate static let finishedJobs = Statement(
        "finished-jobs",
        """
        SELECT finish_order, job_id
        FROM ended
        WHERE finish_order > $1::bigint AND finish_order < $2::bigint
        ORDER BY finish_order
        LIMIT $3::bigint
        """, .bigint, .bigint, .bigint)

    fileprivate static let jobsInInputOrder = Statement(
        "jobs-in-input-order",
        """
        SELECT job.batch_ordinal, job.id
        FROM job
        CROSS JOIN LATERAL (SELECT 1 FROM ended WHERE ended.job_id = job.id LIMIT 1) AS ending
        WHERE job.batch_id = $1::bigint AND job.batch_ordinal > $2::bigint
        ORDER BY job.batch_ordinal
        LIMIT $3::bigint
        """, .bigint, .bigint, .bigint)

    /// How many entries were met, the last of them, and those that are wanted.
    private static func looking(_ clause: String) -> String {
        """
        WITH met AS MATERIALIZED (
            SELECT finish_order, job_id, lane_id, batch_id
            FROM ended
            WHERE finish_order > $2::bigint AND finish_order < $3::bigint
            ORDER BY finish_order
            LIMIT $4::bigint
        ), wanted AS MATERIALIZED (
            SELECT finish_order, job_id FROM met WHERE \(clause) ORDER BY finish_order LIMIT $5::bigint
        )
        SELECT (SELECT count(*) FROM met), (SELECT max(finish_order) FROM met),
            ARRAY(SELECT finish_order FROM wanted ORDER BY finish_order),
            ARRAY(SELECT job_id FROM wanted ORDER BY finish_order)
        """
    }

    fileprivate static let finishedOfBatch = Statement(
        "finished-of-batch", assembled: looking("batch_id = $1::bigint"),
        [.bigint, .bigint, .bigint, .bigint, .bigint], isKept: true)
    fileprivate static let finishedOfLanes = Statement(
        "finished-of-lanes", assembled: looking("lane_id = ANY ($1::bigint[])"),
        [.bigints, .bigint, .bigint, .bigint, .bigint], isKept: true)

    /// A table of its own, so that nothing is walked in the order of finishing for its sake.
    private static func sorting(_ endings: String) -> String {
        """
        WITH ending AS MATERIALIZED (
        \(endings)
        )
        SELECT finish_order, job_id
        FROM ending
        WHERE finish_order > $2::bigint AND finish_order < $3::bigint
        ORDER BY finish_order
        LIMIT $4::bigint
        """
    }

    fileprivate static let sortedOfBatch = Statement(
        "sorted-of-batch",
        assembled: sorting(
            """
            SELECT ended.finish_order, ended.job_id
            FROM job
            CROSS JOIN LATERAL (SELECT finish_order, job_id FROM ended WHERE ended.job_id = job.id LIMIT 1) AS ended
            WHERE job.batch_id = $1::bigint
            """), [.bigint, .bigint, .bigint, .bigint], isKept: true)
    fileprivate static let sortedOfLanes = Statement(
        "sorted-of-lanes",
        assembled: sorting(
            """
            SELECT finish_order, job_id FROM ended WHERE state = 'succeeded' AND lane_id = ANY ($1::bigint[])
            UNION ALL
            SELECT finish_order, job_id
            FROM ended
            WHERE (state = 'failed' OR state = 'cancelled') AND lane_id = ANY ($1::bigint[])
            """), [.bigints, .bigint, .bigint, .bigint], isKept: true)
}
