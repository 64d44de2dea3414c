import Jobs
import SQLite

/// A queue as one operation sees and changes it.
struct QueueRow {
    let id: Int64
    let name: String
    let paused: Bool
    let concurrency: Int?
    let weight: Int
    /// Attempts open in the queue.
    var running: Int
    /// Its place in the order of turns.
    var turn: Double
    /// Runs of identical refusals, by route.
    var streaks = Streaks()

    static func load(_ id: Int64, _ connection: Connection) throws -> QueueRow? {
        var row = try connection.queryOne(
            """
            SELECT name, paused, concurrency, weight, running, pass
            FROM queue
            WHERE id = ?1
            """, [.integer(id)]
        ) { row in
            QueueRow(
                id: id, name: row.text(0), paused: row.bool(1), concurrency: row.intOrNil(2),
                weight: row.int(3),
                running: row.int(4), turn: row.double(5))
        }
        row?.streaks = try Streaks.load(of: id, connection)
        return row
    }

    /// What a route's admission asks of the queue.
    func line(on route: Int64) -> RouteLedger.Queue {
        guard let streak = streaks[route] else { return RouteLedger.Queue(running: running) }
        return RouteLedger.Queue(running: streaks.running(on: route), refusedInARow: streak.inARow)
    }

    /// What holds its jobs back on a route, whatever the route itself says; nil where nothing does.
    func closure(on route: RouteRow, now: Moment) -> RouteLedger.Admission? {
        guard let streak = streaks[route.id], let wait = streak.wait(at: now) else { return nil }
        return .refused(.pause, streak.words(queue: name, route: route.key), after: wait)
    }

    /// The same for jobs that somebody waits for: each of those is told by itself.
    var withoutStreaks: QueueRow {
        var row = self
        row.streaks = Streaks()
        return row
    }

    func save(_ connection: Connection) throws {
        _ = try connection.run(
            "UPDATE queue SET running = ?2, pass = ?3 WHERE id = ?1",
            [.integer(id), .integer(running), .real(turn)])
        try streaks.save(of: id, connection)
    }
}
