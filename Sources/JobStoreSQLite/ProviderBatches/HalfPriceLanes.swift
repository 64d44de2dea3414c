import Jobs
import SQLite
import StoreRules

/// Lanes whose jobs wait for a provider batch: no worker claims from them.
///
/// Each stands beside an ordinary lane, the common one or a batch's own.
enum HalfPriceLanes {
    static func readyLanes(_ connection: Connection) throws -> [HalfPriceLane] {
        try connection.query(ready) { row in
            HalfPriceLane(
                id: row.int64(0), queue: row.int64(1), queueName: row.text(2), route: row.int64(3),
                tags: LaneBudget.tags(of: row.text(4)), since: row.int64(5))
        }
    }

    private static let ready = SQL(
        """
        \(ReadyLane.lanesWithReadyJobs)
        SELECT lane.id, lane.queue_id, queue.name, lane.route_id, lane.budget,
            (
                SELECT min(rank, created_at)
                FROM job
                WHERE job.ready = 1 AND job.lane_id = lane.id
                ORDER BY rank
                LIMIT 1
            )
        FROM ready
        JOIN lane ON lane.id = ready.lane_id
        JOIN queue ON queue.id = lane.queue_id
        WHERE queue.paused = 0 AND lane.kind = 'half_price' AND lane.sealed = 0
        """)

    /// Queued jobs that have no time left for a provider batch.
    static func urgent(
        _ connection: Connection, terms: HalfPriceTerms, now: Timestamp, limit: Int
    ) throws -> [Int64] {
        try connection.query(
            overdue, [.integer(terms.firstDeadline(at: now).milliseconds), .integer(limit)]
        ) { row in row.int64(0) }
    }

    private static let overdue = SQL(
        """
        SELECT job.id
        FROM lane
        CROSS JOIN job ON job.lane_id = lane.id
        WHERE lane.kind = 'half_price' AND lane.sealed = 0 AND job.deadline IS NOT NULL AND job.finish_order IS NULL AND job.deadline < ?1
            AND job.state = 'queued'
        LIMIT ?2
        """)

    /// Moves a queued job to the ordinary lane.
    static func leave(_ id: Int64, _ context: WriteContext) throws {
        guard let standing = try Lanes.standing(of: id, context.connection), standing.isQueuedAtHalfPrice
        else { return }
        let budget = try LaneBudget.name(of: id, context.connection)
        try context.apply { delta in delta.leaveHalfPrice(id, at: standing, budget: budget) }
    }
}
