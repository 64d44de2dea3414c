import Jobs
import Postgres
import StoreRules

/// The lanes of jobs, and the way to another lane.
enum Lanes {
    static func standing(of job: Int64, _ access: Access) throws -> LaneStanding? {
        try access.queryOne(.laneOfJob, [.integer(job)]) { row in
            LaneStanding(
                lane: try row.int64(0), state: JobState(rawValue: try row.text(1)) ?? .failed,
                place: try LanePlace(row, from: 2))
        }
    }

    /// Moves a job whose row and tallies agree to the lane that the change says, with the budgets that its tags have now.
    static func move(
        _ job: Int64, _ context: WriteContext, _ change: (inout LanePlace) -> Void = { _ in }
    ) throws {
        guard let standing = try standing(of: job, context.access) else { return }
        let budget = try LaneBudget.name(of: job, context.access)
        try context.apply { delta in delta.move(job, at: standing, budget: budget, change) }
    }

    static func sameService(_ a: Int64, _ b: Int64, _ access: Access) throws -> Bool {
        let routes = try RouteState.load([a, b], access)
        func service(_ id: Int64) -> ServiceKey? { routes.first { $0.id == id }?.key.service }
        return service(a) == service(b)
    }
}

extension Statement {
    fileprivate static let laneOfJob = Statement(
        "lane-of-job",
        """
        SELECT place.lane_id, place.state, lane.queue_id, lane.route_id, lane.budget, lane.kind, lane.owner, lane.batch_id
        FROM job_place AS place
        JOIN lane ON lane.id = place.lane_id
        WHERE place.job_id = $1::bigint
        """, .bigint)
}
