import Jobs
import SQLite
import StoreRules

extension CarriedSpending {
    static func load(for budget: Budget, since start: Timestamp, _ connection: Connection) throws
        -> CarriedSpending
    {
        CarriedSpending(
            attempts: try attempts(of: budget, since: start, connection),
            settled: Money(nanodollars: try settled(of: budget, since: start, connection)))
    }

    private static func attempts(
        of budget: Budget, since start: Timestamp, _ connection: Connection
    ) throws -> [CarriedAttempt] {
        let (scope, subject) = budget.scope.columns
        return try connection.query(
            """
            SELECT attempt.job_id, attempt.number, iif(attempt.status = 'open', attempt.reserved_cost, 0), attempt.cost,
                attempt.unconfirmed_cost
            FROM attempt
            JOIN queue ON queue.id = attempt.queue_id
            WHERE (attempt.status = 'open' OR (attempt.unconfirmed_cost > 0 AND attempt.closed_at >= ?3))
                AND (
                    ?1 = 'all' OR (?1 = 'queue' AND queue.name = ?2)
                    OR (?1 = 'tag' AND EXISTS (
                        SELECT 1 FROM job_tag WHERE job_tag.tag = ?2 AND job_tag.job_id = attempt.job_id
                    ))
                )
            """, [.text(scope), .text(subject), .integer(start.milliseconds)]
        ) { row in
            CarriedAttempt(
                key: AttemptKey(job: JobID(row.int64(0)), number: row.int(1)),
                reserved: Money(nanodollars: row.int64(2)), cost: Money(nanodollars: row.int64(3)),
                unconfirmedCost: Money(nanodollars: row.int64(4)))
        }
    }

    private static func settled(
        of budget: Budget, since start: Timestamp, _ connection: Connection
    ) throws -> Int64 {
        let day: Value = .integer(start.milliseconds / Timestamp.day)
        let sum: Int64? =
            switch budget.scope {
            case .tag(let tag):
                try connection.queryOne(
                    "SELECT coalesce(sum(cost), 0) FROM spend_tag WHERE day >= ?1 AND tag = ?2",
                    [day, .text(tag)], { row in row.int64(0) })
            case .queue(let queue):
                try connection.queryOne(
                    """
                    SELECT coalesce(sum(spend.cost), 0)
                    FROM spend
                    JOIN lane ON lane.id = spend.lane_id
                    JOIN queue ON queue.id = lane.queue_id
                    WHERE spend.day >= ?1 AND queue.name = ?2
                    """, [day, .text(queue)], { row in row.int64(0) })
            case .all:
                try connection.queryOne(
                    "SELECT coalesce(sum(cost), 0) FROM spend WHERE day >= ?1", [day],
                    { row in row.int64(0) })
            }
        return max(0, sum ?? 0)
    }
}

extension Budget.Scope {
    /// As the columns `scope` and `subject`.
    var columns: (scope: String, subject: String) {
        switch self {
        case .all: ("all", "")
        case .queue(let name): ("queue", name)
        case .tag(let tag): ("tag", tag)
        }
    }
}
