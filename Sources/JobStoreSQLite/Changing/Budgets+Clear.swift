import Jobs
import SQLite

extension Budgets {
    /// What a person knows of these calls holds in every budget that covered them.
    ///
    /// False where there is no such budget.
    func clear(_ name: String) throws -> Bool {
        let now = context.now.timestamp
        guard
            let (id, span) = try connection.queryOne(
                "SELECT id, span FROM budget WHERE name = ?1 AND active = 1", [.text(name)],
                { row in (row.int64(0), Budget.Window(rawValue: row.text(1)) ?? .total) })
        else { return false }
        let found = try connection.queryOne(
            "SELECT id, unconfirmed_cost FROM budget_window WHERE budget_id = ?1 AND starts_at = ?2",
            [.integer(id), .integer(span.start(at: now).milliseconds)],
            { row in (row.int64(0), row.int64(1)) })
        guard let (window, amount) = found, amount > 0 else { return true }
        for attempt in try attempts(in: window) { try clear(attempt) }
        // Attempts that were pruned meanwhile have left theirs behind.
        _ = try connection.run(
            "UPDATE budget_window SET unconfirmed_cost = 0 WHERE id = ?1", [.integer(window)])
        let message = "$\(Money(nanodollars: amount)) unconfirmed was cleared in budget \(name)"
        try Events.record(.unconfirmedCostCleared, name, message, context)
        return true
    }

    private struct Doubtful {
        let job: Int64
        let number: Int
        let unconfirmedCost: Int64
        let windows: String
        let lane: Int64
        let batch: Int64?
    }

    private func attempts(in window: Int64) throws -> [Doubtful] {
        try connection.query(
            """
            SELECT attempt.job_id, attempt.number, attempt.unconfirmed_cost, attempt.budget_windows, job.lane_id, job.batch_id
            FROM attempt
            JOIN job ON job.id = attempt.job_id
            WHERE attempt.unconfirmed_cost > 0 AND attempt.budget_windows LIKE '%,' || ?1 || ',%'
            """, [.integer(window)]
        ) { row in
            Doubtful(
                job: row.int64(0), number: row.int(1), unconfirmedCost: row.int64(2), windows: row.text(3),
                lane: row.int64(4), batch: row.int64OrNil(5))
        }
    }

    private func clear(_ attempt: Doubtful) throws {
        _ = try connection.run(
            "UPDATE attempt SET cleared = cleared + unconfirmed_cost, unconfirmed_cost = 0 WHERE job_id = ?1 AND number = ?2",
            [.integer(attempt.job), .integer(attempt.number)])
        let change = BudgetLedger.Change(unconfirmedCost: Money(nanodollars: -attempt.unconfirmedCost))
        try BudgetSettlement(context).apply(change, to: attempt.windows)
        try context.spent(lane: attempt.lane, job: attempt.job) {
            $0.unconfirmedCost -= attempt.unconfirmedCost
        }
        context.booked(batch: attempt.batch) { $0.unconfirmedCost -= attempt.unconfirmedCost }
    }
}
