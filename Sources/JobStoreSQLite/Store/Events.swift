package import Jobs
import SQLite
import StoreRules

extension SQLiteJobStore {
    package func events(before: Int64?, limit: Int) async throws -> [StoredEvent] {
        try await read { connection in
            try connection.query(
                """
                SELECT id, at, kind, subject, message, percent
                FROM event
                WHERE id < ?1
                ORDER BY id DESC
                LIMIT ?2
                """, [.integer(before ?? .max), .integer(limit)]
            ) { row in
                StoredEvent(
                    id: row.int64(0), at: Timestamp(milliseconds: row.int64(1)),
                    kind: StoredEvent.Kind(rawValue: row.text(2)) ?? .budgetAlert, subject: row.text(3),
                    message: row.text(4), percent: row.intOrNil(5))
            }
        }
    }
}

/// What operators should know of, stored and, after the commit, reported to this process.
enum Events {
    /// Older ones are deleted.
    static let kept: Int64 = 10_000

    static func record(_ event: NewEvent, _ context: WriteContext) throws {
        if let within = event.onceWithin, try isKnown(event, within: within, context) { return }
        try record(event.kind, event.subject, event.message, percent: event.percent, context)
    }

    /// Whether one like it was among the last hundred.
    private static func isKnown(
        _ event: NewEvent, within: Milliseconds, _ context: WriteContext
    ) throws -> Bool {
        try context.connection.queryOne(
            """
            SELECT EXISTS (
                SELECT 1
                FROM event
                WHERE id > (SELECT max(id) - 100 FROM event) AND kind = ?1 AND subject = ?2 AND at > ?3
            )
            """,
            [
                .text(event.kind.rawValue), .text(event.subject),
                .integer((context.now.timestamp + -within).milliseconds),
            ], { row in row.bool(0) }) == true
    }

    static func record(
        _ kind: StoredEvent.Kind, _ subject: String, _ message: String, percent: Int? = nil,
        _ context: WriteContext
    ) throws {
        let (connection, now) = (context.connection, context.now.timestamp)
        _ = try connection.run(
            "INSERT INTO event (at, kind, subject, message, percent) VALUES (?1, ?2, ?3, ?4, ?5)",
            [
                .integer(now.milliseconds), .text(kind.rawValue), .text(subject), .text(message),
                .integer(percent),
            ])
        let id = connection.lastInsertRowID
        _ = try connection.run("DELETE FROM event WHERE id <= ?1", [.integer(id - kept)])
        context.happened(
            StoredEvent(id: id, at: now, kind: kind, subject: subject, message: message, percent: percent))
    }
}
