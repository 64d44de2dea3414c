import Jobs
import Postgres
import StoreRules

/// What operators should know of, stored and, after the commit, reported to this process.
enum Events {
    /// Older ones are deleted.
    static let kept: Int64 = 10_000

    static func record(_ event: NewEvent, _ context: WriteContext) throws {
        let at = context.now.timestamp
        let since = event.onceWithin.map { (at + -$0).milliseconds }
        let values: [Value] = [
            .integer(at.milliseconds), .text(event.kind.rawValue), .text(event.subject),
            .text(event.message), .integer(event.percent), .integer(since),
        ]
        guard let id = try context.queryOne(.recordEvent, values, { row in try row.int64(0) }) else { return }
        context.run(.forgetEvents, [.integer(id - kept)])
        context.happened(
            StoredEvent(
                id: id, at: at, kind: event.kind, subject: event.subject, message: event.message,
                percent: event.percent))
    }
}

extension Statement {
    /// Nothing if one like it was among the last hundred since that time.
    fileprivate static let recordEvent = Statement(
        "record-event",
        """
        INSERT INTO event (at, kind, subject, message, percent)
        SELECT $1::bigint, $2::text, $3::text, $4::text, $5::bigint
        WHERE $6::bigint IS NULL OR NOT EXISTS (
            SELECT 1
            FROM event
            WHERE id > (SELECT max(id) - 100 FROM event) AND kind = $2::text AND subject = $3::text AND at > $6::bigint
        )
        RETURNING id
        """, .bigint, .text, .text, .text, .bigint, .bigint)
    fileprivate static let forgetEvents = Statement(
        "forget-events", "DELETE FROM event WHERE id <= $1::bigint", .bigint)
}
