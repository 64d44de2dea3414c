import Jobs
import SQLite
import StoreRules

extension QueueState {
    static func load(_ id: Int64, _ connection: Connection) throws -> QueueState? {
        var row = try connection.queryOne(
            """
            SELECT name, paused, concurrency, weight, running, pass
            FROM queue
            WHERE id = ?1
            """, [.integer(id)]
        ) { row in
            QueueState(
                id: id, name: row.text(0), paused: row.bool(1), concurrency: row.intOrNil(2),
                weight: row.int(3),
                running: row.int(4), pass: row.double(5))
        }
        row?.streaks = try RefusalStreaks.load(of: id, connection)
        return row
    }

    func save(_ connection: Connection) throws {
        _ = try connection.run(
            "UPDATE queue SET running = ?2, pass = ?3 WHERE id = ?1",
            [.integer(id), .integer(running), .real(pass)])
        try streaks.save(of: id, connection)
    }
}
