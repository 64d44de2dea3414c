import Jobs
import SQLite

/// A queue as one operation sees and changes it.
struct QueueRow {
    let id: Int64
    let name: String
    var paused: Bool
    var pauseReason: String?
    let concurrency: Int?
    let weight: Int
    /// Attempts open in the queue.
    var running: Int
    /// The newest refusal, and how often in a row it came.
    var refusedSignature: String?
    var refusedStreak: Int
    /// Its place in the order of turns.
    var turn: Double

    static func load(_ id: Int64, _ connection: Connection) throws -> QueueRow? {
        try connection.queryOne(
            """
            SELECT name, paused, pause_reason, concurrency, weight, running, refused_signature, refused_streak, turn
            FROM queue
            WHERE id = ?1
            """, [.integer(id)]
        ) { row in
            QueueRow(
                id: id, name: row.text(0), paused: row.bool(1), pauseReason: row.textOrNil(2),
                concurrency: row.intOrNil(3), weight: row.int(4), running: row.int(5),
                refusedSignature: row.textOrNil(6), refusedStreak: row.int(7), turn: row.double(8))
        }
    }

    /// What a route's admission asks of the queue.
    var line: RouteLedger.Queue { RouteLedger.Queue(running: running, refusedInARow: refusedStreak) }

    func save(_ connection: Connection) throws {
        _ = try connection.run(
            """
            UPDATE queue
            SET paused = ?2, pause_reason = ?3, running = ?4, refused_signature = ?5, refused_streak = ?6, turn = ?7
            WHERE id = ?1
            """,
            [
                .integer(id), .bool(paused), .text(pauseReason), .integer(running), .text(refusedSignature),
                .integer(refusedStreak), .real(turn),
            ])
    }
}
