import Jobs
import SQLite
import StoreRules

extension RefusalStreaks {
    static func load(of queue: Int64, _ connection: Connection) throws -> RefusalStreaks {
        var streaks = RefusalStreaks()
        try connection.forEach(byQueue, [.integer(queue)]) { row in
            streaks.load(RefusalStreak(row, from: 1), on: row.int64(0), inFlight: row.int(10))
        }
        return streaks
    }

    // Interactive jobs are no part of it, nor those that are out with a batch of the provider.
    private static let byQueue = SQL(
        """
        SELECT route_id, signature, message, refusals, asked_boot, asked_at, trips, until_boot, until_at, held_since, (
            SELECT coalesce(sum(lane_tally.jobs), 0)
            FROM lane
            JOIN lane_tally ON lane_tally.lane_id = lane.id
            WHERE lane.queue_id = refusal_streak.queue_id AND lane.route_id = refusal_streak.route_id
                AND lane.kind = 'common' AND lane_tally.state = 'running'
        )
        FROM refusal_streak
        WHERE queue_id = ?1
        """)

    func save(of queue: Int64, _ connection: Connection) throws {
        for route in changed {
            guard let streak = self[route] else {
                try Self.delete(of: queue, on: route, connection)
                continue
            }
            _ = try connection.run(
                """
                INSERT OR REPLACE INTO refusal_streak (
                    queue_id, route_id, signature, message, refusals, asked_boot, asked_at, trips, until_boot, until_at,
                    held_since
                )
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
                """,
                [
                    .integer(queue), .integer(route), .text(streak.signature), .text(streak.message),
                    .integer(streak.refusals), .integer(streak.askedFrom?.epoch),
                    .integer(streak.askedFrom?.milliseconds), .integer(streak.trips),
                    .integer(streak.until?.epoch), .integer(streak.until?.milliseconds),
                    .integer(streak.heldSince?.milliseconds),
                ])
        }
    }

    /// Lifts what is held back: of one route, or of all.
    static func delete(of queue: Int64, on route: Int64? = nil, _ connection: Connection) throws {
        _ = try connection.run(
            "DELETE FROM refusal_streak WHERE queue_id = ?1 AND (?2 IS NULL OR route_id = ?2)",
            [.integer(queue), .integer(route)])
    }
}

extension RefusalStreaks {
    /// What of a queue's jobs is held back, as people see it.
    static func heldBack(of queue: Int64, name: String, _ connection: Connection) throws -> [HeldBack] {
        try load(of: queue, connection).heldBack(of: name) { route in
            guard try hasQueuedJobs(queue, on: route, connection) else { return nil }
            return try RouteState.load(route, connection)?.key
        }
    }

    private static func hasQueuedJobs(_ queue: Int64, on route: Int64, _ connection: Connection) throws
        -> Bool
    {
        try connection.queryOne(
            """
            SELECT 1
            FROM lane
            JOIN lane_tally ON lane_tally.lane_id = lane.id
            WHERE lane.queue_id = ?1 AND lane.route_id = ?2 AND lane_tally.state = 'queued' AND lane_tally.jobs > 0
            LIMIT 1
            """, [.integer(queue), .integer(route)], { row in row.int(0) }) != nil
    }
}

extension RefusalStreak {
    fileprivate init(_ row: borrowing Row, from first: Int) {
        self.init(
            signature: row.text(first), message: row.text(first + 1), refusals: row.int(first + 2),
            askedFrom: RouteState.moment(row, first + 3, first + 4), trips: row.int(first + 5),
            until: RouteState.moment(row, first + 6, first + 7),
            heldSince: row.int64OrNil(first + 8).map { Timestamp(milliseconds: $0) })
    }
}
