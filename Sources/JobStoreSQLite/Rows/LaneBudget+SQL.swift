import SQLite
import StoreRules

extension LaneBudget {
    static func load(_ connection: Connection) throws -> LaneBudget {
        let tags = try connection.query(
            "SELECT subject FROM budget WHERE active = 1 AND scope = 'tag'", [], { row in row.text(0) })
        return LaneBudget(budgeted: Set(tags))
    }

    /// The lane's `budget` for a job that there is.
    static func name(of job: Int64, _ connection: Connection) throws -> String {
        let tags = try connection.query(
            "SELECT tag FROM job_tag WHERE job_id = ?1", [.integer(job)], { row in row.text(0) })
        return tags.isEmpty ? "" : try load(connection).name(of: tags)
    }
}
