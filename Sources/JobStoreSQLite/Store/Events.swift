package import Jobs
import SQLite

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

/// What operators should know of, stored and, after the commit, told to this process.
enum Events {
    /// Older ones are deleted.
    static let kept: Int64 = 10_000

    /// Records an event unless one like it was among the last hundred, within so many milliseconds.
    static func recordOnce(
        _ kind: StoredEvent.Kind, _ subject: String, _ message: String, within: Milliseconds,
        _ context: WriteContext
    ) throws {
        let known = try context.connection.queryOne(
            """
            SELECT EXISTS (
                SELECT 1
                FROM event
                WHERE id > (SELECT max(id) - 100 FROM event) AND kind = ?1 AND subject = ?2 AND at > ?3
            )
            """,
            [
                .text(kind.rawValue), .text(subject),
                .integer((context.now.timestamp + -within).milliseconds),
            ], { row in row.bool(0) })
        guard known != true else { return }
        try record(kind, subject, message, context)
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
