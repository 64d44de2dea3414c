import Jobs
import Postgres
import StoreRules

/// Where a ready job stands in its lane.
struct WaitingPlace: Hashable {
    let job: Int64
    let lane: Int64
    let rank: Int64

    init(_ job: WaitingJob) {
        self.job = job.id
        lane = job.lane
        rank = job.rank
    }
}

/// The ready jobs of lanes in the order in which they go: each lane costs a look at its line, and all of them one round trip.
enum WaitingLines {
    /// The job that goes first, as `numbers` by lanes.
    static func heads(of lanes: [Int64]) -> Call { Call(.headsOfLanes, [.integerArray(lanes)]) }

    /// Ready jobs, counted up to the limit.
    static func lengths(of lanes: [Int64], limit: Int, _ access: Access) throws -> [Int64: Int] {
        try numbers(access.query(.linesOfLanes, [.integerArray(lanes), .integer(limit)]))
            .mapValues { Int($0) }
    }

    /// By the tallies: held ones too.
    static func tallies(of lanes: [Int64], _ access: Access) throws -> [Int64: Int] {
        try numbers(access.query(.queuedOfLanes, [.integerArray(lanes)])).mapValues { Int($0) }
    }

    /// Of the first and of the last ready job.
    static func ranks(of lanes: [Int64], _ access: Access) throws -> [Int64: (first: Int64, last: Int64)] {
        try access.query(.ranksOfLanes, [.integerArray(lanes)]).reduce(into: [:]) { ranks, row in
            ranks[try row.int64(0)] = (try row.int64(1), try row.int64(2))
        }
    }

    /// Those that go before, counted up to the limit.
    static func jobs(
        ahead places: [WaitingPlace], limit: Int, _ access: Access
    ) throws -> [WaitingPlace: Int] {
        let rows = try access.query(
            .jobsAhead,
            [
                .integers(places.map(\.lane)), .integers(places.map(\.rank)), .integers(places.map(\.job)),
                .integer(limit),
            ])
        let counts = try numbers(rows)
        return places.reduce(into: [:]) { found, place in found[place] = counts[place.job].map { Int($0) } }
    }

    static func numbers(_ rows: Rows) throws -> [Int64: Int64] {
        try rows.reduce(into: [:]) { numbers, row in numbers[try row.int64(0)] = try row.int64(1) }
    }
}

extension WaitingLane {
    /// Those with most queued jobs first.
    static func load(limit: Int, _ access: Access) throws -> [WaitingLane] {
        try access.query(.waitingLanes, [.integer(limit)]).map { row in
            WaitingLane(
                id: try row.int64(0), queue: try row.int64(1), route: try row.int64(2),
                jobs: try row.int(3), head: try row.int64OrNil(4),
                isHalfPrice: LaneKind(rawValue: try row.text(5)) == .halfPrice)
        }
    }
}

extension Statement {
    fileprivate static let waitingLanes = Statement(
        "waiting-lanes",
        """
        SELECT lane.id, lane.queue_id, lane.route_id, longest.jobs, (
            SELECT job_id
            FROM waiting
            WHERE held_until IS NULL AND lane_id = lane.id
            ORDER BY lane_id, rank, job_id
            LIMIT 1
        ), lane.kind
        FROM (
            SELECT lane_id, jobs
            FROM lane_tally
            WHERE state = 'queued' AND jobs > 0
            ORDER BY jobs DESC, lane_id
            LIMIT $1::bigint
        ) AS longest
        JOIN lane ON lane.id = longest.lane_id
        ORDER BY longest.jobs DESC, longest.lane_id
        """, .bigint)
    fileprivate static let headsOfLanes = Statement(
        "heads-of-lanes",
        """
        SELECT wanted.lane, head.job_id
        FROM unnest($1::bigint[]) AS wanted (lane)
        CROSS JOIN LATERAL (
            SELECT job_id
            FROM waiting
            WHERE held_until IS NULL AND lane_id = wanted.lane
            ORDER BY rank, job_id
            LIMIT 1
        ) AS head
        """, .bigints)
    fileprivate static let linesOfLanes = Statement(
        "lines-of-lanes",
        """
        SELECT wanted.lane, (
            SELECT count(*)
            FROM (SELECT 1 FROM waiting WHERE held_until IS NULL AND lane_id = wanted.lane LIMIT $2::bigint) AS counted
        )
        FROM unnest($1::bigint[]) AS wanted (lane)
        """, .bigints, .bigint)
    fileprivate static let queuedOfLanes = Statement(
        "queued-of-lanes",
        "SELECT lane_id, jobs FROM lane_tally WHERE state = 'queued' AND lane_id = ANY ($1::bigint[])",
        .bigints)
    fileprivate static let ranksOfLanes = Statement(
        "ranks-of-lanes",
        """
        SELECT wanted.lane, first.rank, last.rank
        FROM unnest($1::bigint[]) AS wanted (lane)
        CROSS JOIN LATERAL (
            SELECT rank
            FROM waiting
            WHERE held_until IS NULL AND lane_id = wanted.lane
            ORDER BY rank, job_id
            LIMIT 1
        ) AS first
        CROSS JOIN LATERAL (
            SELECT rank
            FROM waiting
            WHERE held_until IS NULL AND lane_id = wanted.lane
            ORDER BY rank DESC, job_id DESC
            LIMIT 1
        ) AS last
        """, .bigints)
    fileprivate static let jobsAhead = Statement(
        "jobs-ahead",
        """
        SELECT wanted.job_id, (
            SELECT count(*)
            FROM (
                SELECT 1
                FROM waiting
                WHERE held_until IS NULL AND lane_id = wanted.lane
                    AND (waiting.rank, waiting.job_id) < (wanted.rank, wanted.job_id)
                LIMIT $4::bigint
            ) AS counted
        )
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS wanted (lane, rank, job_id)
        """, .bigints, .bigints, .bigints, .bigint)
}
