import Postgres
import StoreRules

extension LaneBudget {
    static func load(_ access: Access) throws -> LaneBudget {
        let tags = try access.query(.budgetedTags).map { row in try row.text(0) }
        return LaneBudget(budgeted: Set(tags))
    }

    /// The lane's `budget` for a job that there is.
    static func name(of job: Int64, _ access: Access) throws -> String {
        let answers = try access.query([Call(.tagsOfJob, [.integer(job)]), Call(.budgetedTags)])
        let tags = try answers[0].map { row in try row.text(0) }
        let budgeted = try answers[1].map { row in try row.text(0) }
        return LaneBudget(budgeted: Set(budgeted)).name(of: tags)
    }
}

extension Statement {
    fileprivate static let budgetedTags = Statement(
        "budgeted-tags", "SELECT subject FROM budget WHERE active AND scope = 'tag'")
    static let tagsOfJob = Statement(
        "tags-of-job", "SELECT tag FROM job_tag WHERE job_id = $1::bigint ORDER BY tag", .bigint)
}
