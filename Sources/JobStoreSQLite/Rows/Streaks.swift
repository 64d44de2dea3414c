import Jobs
import SQLite

/// The runs of identical refusals of one queue, by route; mostly none.
struct Streaks {
    private var rows: [Int64: RefusalStreak] = [:]
    /// Calls in flight of jobs that are subject to them.
    private var flying: [Int64: Int] = [:]
    private var changed: Set<Int64> = []

    subscript(_ route: Int64) -> RefusalStreak? {
        get { rows[route] }
        set {
            rows[route] = newValue
            changed.insert(route)
        }
    }

    func running(on route: Int64) -> Int { flying[route] ?? 0 }

    /// A call is made.
    mutating func took(on route: Int64) {
        if rows[route] != nil { flying[route, default: 0] += 1 }
    }

    static func load(of queue: Int64, _ connection: Connection) throws -> Streaks {
        var streaks = Streaks()
        try connection.forEach(byQueue, [.integer(queue)]) { row in
            streaks.rows[row.int64(0)] = RefusalStreak(row, from: 1)
            streaks.flying[row.int64(0)] = row.int(10)
        }
        return streaks
    }

    // Jobs of own lines are no part of it, nor those that are out with a batch of the provider.
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
            guard let streak = rows[route] else {
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
                    .integer(streak.refusals), .integer(streak.askedFrom?.boot),
                    .integer(streak.askedFrom?.milliseconds), .integer(streak.trips),
                    .integer(streak.until?.boot), .integer(streak.until?.milliseconds),
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

extension Streaks {
    /// What of a queue's jobs is held back, as people see it.
    static func heldBack(of queue: Int64, name: String, _ connection: Connection) throws -> [HeldBack] {
        let streaks = try load(of: queue, connection)
        return try streaks.rows.sorted { $0.key < $1.key }.compactMap { id, streak in
            guard let since = streak.heldSince, try hasQueuedJobs(queue, on: id, connection),
                let route = try RouteRow.load(id, connection)
            else { return nil }
            return HeldBack(
                route: route.key.name, reason: streak.words(queue: name, route: route.key), since: since)
        }
    }

    /// Where the last of them failed too, nothing is held back any more.
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
            askedFrom: RouteRow.moment(row, first + 3, first + 4), trips: row.int(first + 5),
            until: RouteRow.moment(row, first + 6, first + 7),
            heldSince: row.int64OrNil(first + 8).map { Timestamp(milliseconds: $0) })
    }
}
