import Jobs
import Postgres
import StoreRules

extension CarriedSpending {
    static func load(for budget: Budget, since start: Timestamp, _ access: Access) throws -> CarriedSpending {
        let (scope, subject) = budget.scope.columns
        let day: Value = .integer(start.milliseconds / Timestamp.day)
        let spent: Call =
            switch budget.scope {
            case .tag(let tag): Call(.spentOnTag, [day, .text(tag)])
            case .queue(let queue): Call(.spentInQueue, [day, .text(queue)])
            case .all: Call(.spentOnAll, [day])
            }
        let moving = Call(
            .movingMoney, [.text(scope), .text(subject), .integer(start.milliseconds)])
        let answers = try access.query([moving, spent])
        return CarriedSpending(
            attempts: try answers[0].map { row in
                CarriedAttempt(
                    key: AttemptKey(job: JobID(try row.int64(0)), number: try row.int(1)),
                    reserved: Money(nanodollars: try row.int64(2)),
                    cost: Money(nanodollars: try row.int64(3)),
                    unconfirmedCost: Money(nanodollars: try row.int64(4)))
            }, settled: Money(nanodollars: max(0, try answers[1].first?.int64(0) ?? 0)))
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

extension Statement {
    /// The attempts of a budget's jobs that still move money: those that are open, and those whose cost is unconfirmed.
    fileprivate static let movingMoney = Statement(
        "moving-money",
        """
        SELECT moving.job_id, moving.number, moving.reserved_cost, moving.cost, moving.unconfirmed_cost
        FROM (
            SELECT job_id, number, queue_id, reserved_cost, 0::bigint AS cost, 0::bigint AS unconfirmed_cost
            FROM flight
            UNION ALL
            SELECT job_id, number, queue_id, 0::bigint, cost, unconfirmed_cost
            FROM attempt
            WHERE unconfirmed_cost > 0 AND closed_at >= $3::bigint
        ) AS moving
        JOIN queue ON queue.id = moving.queue_id
        WHERE $1::text = 'all' OR ($1::text = 'queue' AND queue.name = $2::text)
            -- Not EXISTS: that would read all jobs of the tag first.
            OR ($1::text = 'tag' AND (
                SELECT true FROM job_tag WHERE job_tag.tag = $2::text AND job_tag.job_id = moving.job_id
            ))
        """, .text, .text, .bigint)

    // Sums end at the largest number.
    fileprivate static let spentOnTag = Statement(
        "spent-on-tag",
        """
        SELECT least(coalesce(sum(cost), 0), 9223372036854775807)::bigint
        FROM spend_tag
        WHERE day >= $1::bigint AND tag = $2::text
        """, .bigint, .text)
    fileprivate static let spentInQueue = Statement(
        "spent-in-queue",
        """
        SELECT least(coalesce(sum(spend.cost), 0), 9223372036854775807)::bigint
        FROM spend
        JOIN lane ON lane.id = spend.lane_id
        JOIN queue ON queue.id = lane.queue_id
        WHERE spend.day >= $1::bigint AND queue.name = $2::text
        """, .bigint, .text)
    fileprivate static let spentOnAll = Statement(
        "spent-on-all",
        """
        SELECT least(coalesce(sum(cost), 0), 9223372036854775807)::bigint
        FROM spend
        WHERE day >= $1::bigint
        """, .bigint)
}
