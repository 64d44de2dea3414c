package import Jobs
import SQLite

extension SQLiteJobStore {
    package func spend(by axis: SpendAxis, days: Int) async throws -> [SpendShare] {
        let first = now().timestamp.milliseconds / Timestamp.day - Int64(days) + 1
        return try await read { connection in
            try connection.query(axis.sql, [.integer(first)]) { row in
                SpendShare(
                    name: axis.name(row), calls: row.int(1),
                    cost: Money(nanodollars: row.int64(2)), unconfirmedCost: Money(nanodollars: row.int64(3)),
                    cacheHits: row.int(4), saved: Money(nanodollars: row.int64(5)), sharedHits: row.int(6),
                    sharedSaved: Money(nanodollars: row.int64(7)), batchCalls: row.int(8),
                    batchCost: Money(nanodollars: row.int64(9)),
                    batchFullCost: Money(nanodollars: row.int64(10)))
            }
        }
    }
}

extension SpendAxis {
    /// So many lines are enough for anybody.
    private static let limit = 1000
    private static let sums = """
        sum(calls), \(moneySum("cost")), \(moneySum("unconfirmed_cost")), sum(cache_hits), \(moneySum("saved")),
        sum(shared_hits), \(moneySum("shared_saved")), sum(batch_calls), \(moneySum("batch_cost")),
        \(moneySum("batch_full_cost"))
        """

    /// Days are kept as numbers; a name is none, even if it looks like one.
    fileprivate func name(_ row: borrowing Row) -> String {
        guard self == .day else { return row.text(0) }
        return String(Timestamp(milliseconds: row.int64(0) * Timestamp.day).text.prefix(10))
    }

    fileprivate var sql: SQL {
        switch self {
        case .day: Self.byDay
        case .model: Self.byModel
        case .queue: Self.byQueue
        case .tag: Self.byTag
        }
    }

    private static let byDay = SQL(
        """
        SELECT day, \(sums)
        FROM spend
        WHERE day >= ?1
        GROUP BY day
        ORDER BY day DESC
        """)
    private static let byModel = SQL(
        """
        SELECT route.model, \(sums)
        FROM spend
        JOIN lane ON lane.id = spend.lane_id
        JOIN route ON route.id = lane.route_id
        WHERE day >= ?1
        GROUP BY route.model
        ORDER BY total(cost) DESC
        LIMIT \(limit)
        """)
    private static let byQueue = SQL(
        """
        SELECT queue.name, \(sums)
        FROM spend
        JOIN lane ON lane.id = spend.lane_id
        JOIN queue ON queue.id = lane.queue_id
        WHERE day >= ?1
        GROUP BY queue.name
        ORDER BY total(cost) DESC
        LIMIT \(limit)
        """)
    private static let byTag = SQL(
        """
        SELECT tag, \(sums)
        FROM spend_tag
        WHERE day >= ?1
        GROUP BY tag
        ORDER BY total(cost) DESC
        LIMIT \(limit)
        """)
}
