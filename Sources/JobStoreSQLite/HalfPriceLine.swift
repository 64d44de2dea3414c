import Jobs
import SQLite

/// Lanes whose jobs wait for a consignment: no worker claims from them.
///
/// Each stands beside an ordinary lane, the common one or a batch's own, whose line its name begins with.
enum HalfPriceLine {
    /// In the place of an owner's number.
    static let owner: Int64 = -1
    private static let suffix = " half price"

    static func name(beside line: String) -> String { line + suffix }

    /// The ordinary line beside it; nil where this is none at half the price.
    static func ordinary(_ line: String) -> String? {
        line.hasSuffix(suffix) ? String(line.dropLast(suffix.count)) : nil
    }

    /// A lane with ready jobs.
    struct Lane {
        let id: Int64
        let queue: Int64
        let queueName: String
        let route: Int64
        let tags: [String]
        /// The rank of its first job: about when it came, priority apart.
        let since: Int64
    }

    static func readyLanes(_ connection: Connection) throws -> [Lane] {
        try connection.query(ready) { row in
            Lane(
                id: row.int64(0), queue: row.int64(1), queueName: row.text(2), route: row.int64(3),
                tags: LaneBudget.tags(of: row.text(4)), since: row.int64(5))
        }
    }

    private static let ready = SQL(
        """
        \(Survey.lanesWithReadyJobs)
        SELECT lane.id, lane.queue_id, queue.name, lane.route_id, lane.budget,
            (SELECT min(rank) FROM job WHERE job.ready = 1 AND job.lane_id = lane.id)
        FROM ready
        JOIN lane ON lane.id = ready.lane_id
        JOIN queue ON queue.id = lane.queue_id
        WHERE queue.paused = 0 AND lane.owner = \(owner)
        """)

    /// Queued jobs that have no time left for a consignment.
    static func urgent(
        _ connection: Connection, terms: HalfPriceTerms, now: Timestamp, limit: Int
    ) throws -> [Int64] {
        try connection.query(
            overdue, [.integer((now + terms.leastRoom).milliseconds), .integer(limit)]
        ) { row in row.int64(0) }
    }

    private static let overdue = SQL(
        """
        SELECT job.id
        FROM lane
        CROSS JOIN job ON job.lane_id = lane.id
        WHERE lane.owner = \(owner) AND job.deadline IS NOT NULL AND job.finish_order IS NULL AND job.deadline < ?1
            AND job.state = 'queued'
        LIMIT ?2
        """)

    /// Moves a queued job to the ordinary line, where it stands ready unless a time holds it.
    static func leave(_ id: Int64, _ operation: Operation) throws {
        guard let job = try StoredJob.find(id, operation.connection), job.state == .queued,
            let place = try Lanes.place(of: job, operation.connection),
            let line = ordinary(place.line)
        else { return }
        let lane = try operation.laneID(
            queue: place.queue, route: place.route, budget: place.budget, line: line)
        try Lanes.move(job, into: lane, operation)
        // Whom it waits for may come back in a day.
        _ = try operation.connection.run(
            """
            UPDATE job
            SET ready = 1, held_until = NULL, held_hash = NULL
            WHERE id = ?1 AND held_hash IS NOT NULL
            """, [.integer(id)])
    }
}
