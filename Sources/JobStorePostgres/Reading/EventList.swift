package import Jobs
import Postgres

extension PostgresJobStore {
    package func events(before: Int64?, limit: Int) async throws -> [StoredEvent] {
        try await readShared { access in
            try access.query(.events, [.integer(before ?? .max), .integer(limit)]).map { row in
                StoredEvent(
                    id: try row.int64(0), at: try row.timestamp(1),
                    kind: StoredEvent.Kind(rawValue: try row.text(2)) ?? .budgetAlert,
                    subject: try row.text(3), message: try row.text(4), percent: try row.intOrNil(5))
            }
        }
    }
}

extension Statement {
    fileprivate static let events = Statement(
        "events",
        """
        SELECT id, at, kind, subject, message, percent
        FROM event
        WHERE id < $1::bigint
        ORDER BY id DESC
        LIMIT $2::bigint
        """, .bigint, .bigint)
}
