import Jobs
import SQLite
import StoreRules

/// The lanes of jobs, and the way to another lane.
enum Lanes {
    static func standing(of job: Int64, _ connection: Connection) throws -> LaneStanding? {
        try connection.queryOne(
            """
            SELECT job.lane_id, job.state, lane.queue_id, lane.route_id, lane.budget, lane.kind, lane.owner,
                lane.batch_id
            FROM job
            JOIN lane ON lane.id = job.lane_id
            WHERE job.id = ?1
            """, [.integer(job)]
        ) { row in
            LaneStanding(
                lane: row.int64(0), state: JobState(rawValue: row.text(1)) ?? .failed,
                place: LanePlace(row, from: 2))
        }
    }

    /// Moves a job whose row and tallies agree to the lane that the change says, with the budgets that its tags have now.
    static func move(
        _ job: Int64, _ context: WriteContext, _ change: (inout LanePlace) -> Void = { _ in }
    ) throws {
        guard let standing = try standing(of: job, context.connection) else { return }
        let budget = try LaneBudget.name(of: job, context.connection)
        try context.apply { delta in delta.move(job, at: standing, budget: budget, change) }
    }

    static func sameService(_ a: Int64, _ b: Int64, _ connection: Connection) throws -> Bool {
        try RouteState.load(a, connection)?.key.service == RouteState.load(b, connection)?.key.service
    }
}

extension WriteContext {
    func laneID(of place: LanePlace) throws -> Int64 {
        guard place.kind == .interactive, let owner = place.owner else {
            return try laneID(
                queue: place.queue, route: place.route, budget: place.budget, kind: place.kind,
                batch: place.batch)
        }
        return try InteractiveLanes(self, owner: WorkerID(owner))
            .laneID(queue: place.queue, route: place.route, budget: place.budget)
    }
}
