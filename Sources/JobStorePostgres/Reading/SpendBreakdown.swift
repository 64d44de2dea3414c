package import Jobs
import Postgres

extension PostgresJobStore {
    package func spend(by axis: SpendAxis, days: Int) async throws -> [SpendShare] {
        try await readSpend(by: axis, days: days)
    }
}

extension ListSource {
    func readSpend(by axis: SpendAxis, days: Int) async throws -> [SpendShare] {
        let first = now().timestamp.milliseconds / Timestamp.day - Int64(days) + 1
        return try await read { access in
            try access.query(axis.statement, [.integer(first)]).map { row in
                SpendShare(
                    name: try axis.name(row), calls: try row.int(1),
                    cost: Money(nanodollars: try row.int64(2)),
                    unconfirmedCost: Money(nanodollars: try row.int64(3)), cacheHits: try row.int(4),
                    saved: Money(nanodollars: try row.int64(5)), sharedHits: try row.int(6),
                    sharedSaved: Money(nanodollars: try row.int64(7)), batchCalls: try row.int(8),
                    batchCost: Money(nanodollars: try row.int64(9)),
                    batchFullCost: Money(nanodollars: try row.int64(10)))
            }
        }
    }
}

/// The sum of a column in SQL, which reads as the largest number if it is larger, or as the least if it is less.
func boundedSum(_ column: String) -> String {
    "greatest(least(coalesce(sum(\(column)), 0), 9223372036854775807), -9223372036854775808)::bigint"
}

extension SpendAxis {
    /// So many lines are enough for anybody.
    private static let limit = 1000
    private static let sums = [
        "calls", "cost", "unconfirmed_cost", "cache_hits", "saved", "shared_hits", "shared_saved",
        "batch_calls",
        "batch_cost", "batch_full_cost",
    ].map(boundedSum).joined(separator: ", ")

    /// Days are kept as numbers; a name is none, even if it looks like one.
    fileprivate func name(_ row: Row) throws -> String {
        guard self == .day else { return try row.text(0) }
        return String(Timestamp(milliseconds: try row.int64(0) * Timestamp.day).text.prefix(10))
    }

    fileprivate var statement: Statement {
        switch self {
        case .day: Self.byDay
        case .model: Self.byModel
        case .queue: Self.byQueue
        case .tag: Self.byTag
        }
    }

    private static let byDay = Statement(
        "spend-by-day",
        assembled: """
            SELECT day, \(sums)
            FROM spend
            WHERE day >= $1::bigint
            GROUP BY day
            ORDER BY day DESC
            """, [.bigint], isKept: true)
    private static let byModel = Statement(
        "spend-by-model",
        assembled: """
            SELECT route.model, \(sums)
            FROM spend
            JOIN lane ON lane.id = spend.lane_id
            JOIN route ON route.id = lane.route_id
            WHERE spend.day >= $1::bigint
            GROUP BY route.model
            ORDER BY sum(spend.cost) DESC
            LIMIT \(limit)
            """, [.bigint], isKept: true)
    private static let byQueue = Statement(
        "spend-by-queue",
        assembled: """
            SELECT queue.name, \(sums)
            FROM spend
            JOIN lane ON lane.id = spend.lane_id
            JOIN queue ON queue.id = lane.queue_id
            WHERE spend.day >= $1::bigint
            GROUP BY queue.name
            ORDER BY sum(spend.cost) DESC
            LIMIT \(limit)
            """, [.bigint], isKept: true)
    private static let byTag = Statement(
        "spend-by-tag",
        assembled: """
            SELECT tag, \(sums)
            FROM spend_tag
            WHERE day >= $1::bigint
            GROUP BY tag
            ORDER BY sum(cost) DESC
            LIMIT \(limit)
            """, [.bigint], isKept: true)
}
