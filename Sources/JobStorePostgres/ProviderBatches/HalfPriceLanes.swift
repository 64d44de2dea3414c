import Jobs
import Postgres
import StoreRules

/// Lanes whose jobs wait for a provider batch: no worker claims from them.
///
/// Each stands beside an ordinary lane, the common one or a batch's own.
enum HalfPriceLanes {
    /// Reads the ready lanes; `lane` takes a row.
    static var ready: Call { Call(.readyHalfPriceLanes) }

    static func lane(_ row: Row) throws -> HalfPriceLane {
        HalfPriceLane(
            id: try row.int64(0), queue: try row.int64(1), queueName: try row.text(2),
            route: try row.int64(3), tags: LaneBudget.tags(of: try row.text(4)), since: try row.int64(5))
    }

    /// Queued jobs that have no time left for a provider batch.
    static func urgent(terms: HalfPriceTerms, now: Timestamp, limit: Int) -> Call {
        Call(.urgentAtHalfPrice, [.integer(terms.firstDeadline(at: now).milliseconds), .integer(limit)])
    }

    /// Moves those of the jobs that are queued at half the price to the ordinary lanes.
    static func leave(_ ids: [Int64], _ context: WriteContext) throws {
        guard !ids.isEmpty else { return }
        let jobs = try JobRecord.find(ids, context.access)
        let laneBudget = try LaneBudget.load(context.access)
        try context.loadRows(ids)
        try context.apply { delta in
            for job in jobs {
                delta.leaveHalfPrice(
                    job.id, at: LaneStanding(lane: job.lane, state: job.state, place: job.place),
                    budget: laneBudget.name(of: job.tags))
            }
        }
    }
}

extension Statement {
    fileprivate static let readyHalfPriceLanes = Statement(
        "ready-half-price-lanes",
        assembled: """
            WITH RECURSIVE ready (lane_id) AS (
                SELECT (SELECT min(lane_id) FROM waiting WHERE held_until IS NULL)
                UNION ALL
                SELECT (
                    SELECT min(waiting.lane_id) FROM waiting WHERE waiting.held_until IS NULL AND waiting.lane_id > ready.lane_id
                )
                FROM ready
                WHERE ready.lane_id IS NOT NULL
            )
            SELECT lane.id, lane.queue_id, queue.name, lane.route_id, lane.budget, first.since
            FROM ready
            JOIN lane ON lane.id = ready.lane_id
            JOIN queue ON queue.id = lane.queue_id
            CROSS JOIN LATERAL (
                SELECT least(waiting.rank, job.created_at) AS since
                FROM waiting
                JOIN job ON job.id = waiting.job_id
                WHERE waiting.held_until IS NULL AND waiting.lane_id = lane.id
                ORDER BY waiting.rank, waiting.job_id
                LIMIT 1
            ) AS first
            WHERE NOT queue.paused AND lane.kind = 'half_price' AND NOT lane.sealed
            ORDER BY lane.id
            """, isKept: true)

    fileprivate static let urgentAtHalfPrice = Statement(
        "urgent-at-half-price",
        """
        SELECT urgent.job_id
        FROM lane
        CROSS JOIN LATERAL (
            SELECT waiting.job_id
            FROM waiting
            WHERE waiting.lane_id = lane.id AND waiting.deadline IS NOT NULL AND waiting.deadline < $1::bigint
            LIMIT $2::bigint
        ) AS urgent
        WHERE lane.kind = 'half_price' AND NOT lane.sealed
        LIMIT $2::bigint
        """, .bigint, .bigint)
}
