import Jobs
import SQLite

/// What a window had already spent when its budget was stated: it counts.
///
/// What calls in flight have reserved, and what calls may have cost, goes on in their attempts, which name the new window
/// from now on; what is settled is known by day only, and is brought as a sum.
struct SpentBefore {
    private let context: WriteContext
    private let budget: Budget
    private let id: Int64
    private var connection: Connection { context.connection }

    init(_ context: WriteContext, _ budget: Budget, id: Int64) {
        self.context = context
        self.budget = budget
        self.id = id
    }

    private struct Sums {
        var reserved: Int64 = 0
        var cost: Int64 = 0
        var unconfirmedCost: Int64 = 0
    }

    func bring() throws {
        let start = budget.window.start(at: context.now.timestamp)
        _ = try connection.run(
            "INSERT INTO budget_window (budget_id, starts_at) VALUES (?1, ?2)",
            [.integer(id), .integer(start.milliseconds)])
        let window = connection.lastInsertRowID
        let carried = try name(window, since: start)
        let settled = max(carried.cost, try settled(since: start))
        let excess = settled + carried.reserved + carried.unconfirmedCost - budget.limit.nanodollars
        _ = try connection.run(
            """
            UPDATE budget_window
            SET settled = ?2, reserved = ?3, unconfirmed_cost = ?4, spent_before = ?5, excess = ?6
            WHERE id = ?1
            """,
            [
                .integer(window), .integer(settled), .integer(carried.reserved),
                .integer(carried.unconfirmedCost), .integer(settled - carried.cost), .integer(max(0, excess)),
            ])
    }

    /// Has the attempts that still move money do so in this window too; returns what they hold.
    private func name(_ window: Int64, since start: Timestamp) throws -> Sums {
        var money = Sums()
        for attempt in try attempts(since: start) {
            _ = try connection.run(
                """
                UPDATE attempt
                SET budget_windows = coalesce(budget_windows, ',') || ?3 || ','
                WHERE job_id = ?1 AND number = ?2
                """, [.integer(attempt.job), .integer(attempt.number), .text(String(window))])
            money.reserved += attempt.money.reserved
            money.cost += attempt.money.cost
            money.unconfirmedCost += attempt.money.unconfirmedCost
        }
        return money
    }

    private struct Attempt {
        let job: Int64
        let number: Int
        let money: Sums
    }

    private func attempts(since start: Timestamp) throws -> [Attempt] {
        let (scope, subject) = budget.scope.words
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
            Attempt(
                job: row.int64(0), number: row.int(1),
                money: Sums(reserved: row.int64(2), cost: row.int64(3), unconfirmedCost: row.int64(4)))
        }
    }

    private func settled(since start: Timestamp) throws -> Int64 {
        let (scope, subject) = budget.scope.words
        let day: Value = .integer(start.milliseconds / Timestamp.day)
        let sum: Int64? =
            switch scope {
            case "tag":
                try connection.queryOne(
                    "SELECT coalesce(sum(cost), 0) FROM spend_tag WHERE day >= ?1 AND tag = ?2",
                    [day, .text(subject)], { row in row.int64(0) })
            case "queue":
                try connection.queryOne(
                    """
                    SELECT coalesce(sum(spend.cost), 0)
                    FROM spend
                    JOIN lane ON lane.id = spend.lane_id
                    JOIN queue ON queue.id = lane.queue_id
                    WHERE spend.day >= ?1 AND queue.name = ?2
                    """, [day, .text(subject)], { row in row.int64(0) })
            default:
                try connection.queryOne(
                    "SELECT coalesce(sum(cost), 0) FROM spend WHERE day >= ?1", [day],
                    { row in row.int64(0) })
            }
        return max(0, sum ?? 0)
    }
}
