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

    static func tags(of lane: String) -> [String] {
        lane.isEmpty ? [] : lane.split(separator: "\n").map(String.init)
    }

    /// Moves the jobs of tags that got a budget, or lost it, to the lanes where they now belong.
    static func move(from old: LaneBudget, _ operation: Operation) throws {
        let new = try load(operation.connection)
        for tag in old.budgeted.symmetricDifference(new.budgeted) {
            for job in try jobs(tagged: tag, operation.connection) { try new.move(job, operation) }
        }
    }

    private struct Job {
        let id: Int64
        let lane: Int64
        let queue: Int64
        let route: Int64
        let state: JobState
    }

    private static func jobs(tagged tag: String, _ connection: Connection) throws -> [Job] {
        try connection.query(
            """
            SELECT job.id, job.lane_id, lane.queue_id, lane.route_id, job.state
            FROM job_tag
            JOIN job ON job.id = job_tag.job_id
            JOIN lane ON lane.id = job.lane_id
            WHERE job_tag.tag = ?1
            """, [.text(tag)]
        ) { row in
            Job(
                id: row.int64(0), lane: row.int64(1), queue: row.int64(2), route: row.int64(3),
                state: JobState(rawValue: row.text(4)) ?? .failed)
        }
    }

    private func move(_ job: Job, _ operation: Operation) throws {
        let tags = try operation.connection.query(
            "SELECT tag FROM job_tag WHERE job_id = ?1", [.integer(job.id)], { row in row.text(0) })
        let lane = try operation.laneID(queue: job.queue, route: job.route, budget: name(of: tags))
        guard lane != job.lane else { return }
        _ = try operation.connection.run(
            "UPDATE job SET lane_id = ?2 WHERE id = ?1", [.integer(job.id), .integer(lane)])
        operation.moved(lane: job.lane, batch: nil, from: job.state, to: nil)
        operation.moved(lane: lane, batch: nil, from: nil, to: job.state)
    }
}
