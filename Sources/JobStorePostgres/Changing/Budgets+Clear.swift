import Jobs
import Postgres
import StoreRules

extension Budgets {
    /// False if there is no such budget in force.
    func clear(_ name: String) throws -> Bool {
        guard let known = try find(name), known.isInForce else { return false }
        let start = known.budget.window.start(at: context.now.timestamp)
        let window = try context.queryOne(
            .unconfirmedWindow, [.integer(known.id), .integer(start.milliseconds)]
        ) { row in try row.int64(0) }
        guard let window else { return true }
        let attempts = try attempts(in: window)
        let loader = SettleLoader(context)
        try loader.load(windows: [window] + attempts.flatMap(\.windows))
        try context.apply { delta in
            delta.clearUnconfirmed(in: window, attempts, in: &loader.rowCache, now: context.now)
        }
        context.save(loader.rowCache)
        return true
    }

    private func attempts(in window: Int64) throws -> [UnconfirmedAttempt] {
        try context.query(.unconfirmedAttempts, [.integer(window)]).map { row in
            var attempt = UnconfirmedAttempt(
                key: AttemptKey(job: JobID(try row.int64(0)), number: try row.int(1)),
                unconfirmedCost: Money(nanodollars: try row.int64(2)),
                windows: try row.int64s(3).compactMap(\.self), lane: try row.int64(4),
                batch: try row.int64OrNil(5))
            attempt.tags = try row.texts(6).compactMap(\.self)
            return attempt
        }
    }
}

extension Statement {
    fileprivate static let unconfirmedWindow = Statement(
        "unconfirmed-window",
        """
        SELECT id
        FROM budget_window
        WHERE budget_id = $1::bigint AND starts_at = $2::bigint AND unconfirmed_cost > 0
        """, .bigint, .bigint)
    fileprivate static let unconfirmedAttempts = Statement(
        "unconfirmed-attempts",
        """
        SELECT attempt.job_id, attempt.number, attempt.unconfirmed_cost, attempt.budget_windows, place.lane_id, job.batch_id,
            ARRAY(SELECT tag FROM job_tag WHERE job_tag.job_id = attempt.job_id ORDER BY tag)
        FROM attempt
        JOIN job ON job.id = attempt.job_id
        JOIN job_place AS place ON place.job_id = attempt.job_id
        WHERE attempt.unconfirmed_cost > 0 AND attempt.budget_windows @> ARRAY[$1::bigint]
        ORDER BY attempt.job_id, attempt.number
        """, .bigint)
}
