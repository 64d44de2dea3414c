import Jobs
import SQLite

/// Which tags have a budget: jobs with other budgets stand in other lanes, so that one without money blocks no other.
struct LaneBudget: Equatable {
    private let budgeted: Set<String>

    static func load(_ connection: Connection) throws -> LaneBudget {
        let tags = try connection.query(
            "SELECT subject FROM budget WHERE active = 1 AND scope = 'tag'", [], { row in row.text(0) })
        return LaneBudget(budgeted: Set(tags))
    }

    /// The lane's `budget` for jobs with these tags.
    func name(of tags: [String]) -> String {
        Set(tags).intersection(budgeted).sorted().joined(separator: "\n")
    }

    /// The same for a job that there is.
    static func name(of job: Int64, _ connection: Connection) throws -> String {
        let tags = try connection.query(
            "SELECT tag FROM job_tag WHERE job_id = ?1", [.integer(job)], { row in row.text(0) })
        return tags.isEmpty ? "" : try load(connection).name(of: tags)
    }

    static func tags(of lane: String) -> [String] {
        lane.isEmpty ? [] : lane.split(separator: "\n").map(String.init)
    }

    /// The tags that have a budget here or there, and not in both.
    func difference(from other: LaneBudget) -> Set<String> {
        budgeted.symmetricDifference(other.budgeted)
    }
}
