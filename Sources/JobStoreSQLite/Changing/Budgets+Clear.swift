import Jobs
import SQLite
import StoreRules

extension Budgets {
    /// False if there is no such budget in force.
    func clear(_ name: String) throws -> Bool {
        guard let known = try find(name), known.isInForce else { return false }
        let start = known.budget.window.start(at: context.now.timestamp)
        let window = try connection.queryOne(
            "SELECT id FROM budget_window WHERE budget_id = ?1 AND starts_at = ?2 AND unconfirmed_cost > 0",
            [.integer(known.id), .integer(start.milliseconds)], { row in row.int64(0) })
        guard let window else { return true }
        let attempts = try attempts(in: window)
        let loader = SettleLoader(context)
        try loader.load(windows: [window])
        for attempt in attempts { try loader.load(windows: attempt.windows) }
        try context.apply { delta in
            delta.clearUnconfirmed(in: window, attempts, in: &loader.rowCache, now: context.now)
        }
        try context.save(loader.rowCache)
        return true
    }

    private func attempts(in window: Int64) throws -> [UnconfirmedAttempt] {
        let found = try connection.query(
            """
            SELECT attempt.job_id, attempt.number, attempt.unconfirmed_cost, attempt.budget_windows, job.lane_id, job.batch_id
            FROM attempt
            JOIN job ON job.id = attempt.job_id
            WHERE attempt.unconfirmed_cost > 0 AND attempt.budget_windows LIKE '%,' || ?1 || ',%'
            """, [.integer(window)]
        ) { row in
            UnconfirmedAttempt(
                key: AttemptKey(job: JobID(row.int64(0)), number: row.int(1)),
                unconfirmedCost: Money(nanodollars: row.int64(2)),
                windows: AttemptRecord.windows(row.text(3)), lane: row.int64(4), batch: row.int64OrNil(5))
        }
        return try found.map { attempt in
            var attempt = attempt
            attempt.tags = try connection.query(
                "SELECT tag FROM job_tag WHERE job_id = ?1", [.integer(attempt.key.job.value)],
                { row in row.text(0) })
            return attempt
        }
    }
}
