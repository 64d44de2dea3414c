import Jobs
import SQLite

/// What a lane is; a job keeps it through all its moves, unless it leaves it on purpose.
enum LaneKind: String {
    /// All workers serve it.
    case common
    /// The serving process whose callers wait claims from it, and nobody else.
    case interactive
    /// Its jobs wait for a provider batch.
    case halfPrice = "half_price"

    /// The name that tells such lanes of one queue, route and budget apart; an own line has another.
    func variant(of batch: Int64?) -> String {
        (batch.map { BatchID($0).description } ?? "") + (self == .halfPrice ? " half price" : "")
    }
}

/// Jobs change lanes when their route changes, when a tag of theirs gets a budget or loses it, and when who serves them does.
enum Lanes {
    /// What makes a lane.
    struct Place: Equatable {
        let queue: Int64
        var route: Int64
        var budget: String
        var kind: LaneKind
        /// The serving process whose own line it is part of.
        var owner: Int64?
        /// The batch of the compatible API whose own it is.
        var batch: Int64?

        /// Whoever served the job's own line does so no more.
        mutating func leaveInteractiveLane() {
            guard kind == .interactive else { return }
            kind = .common
            owner = nil
        }
    }

    /// Where a job stands.
    struct Standing {
        let lane: Int64
        let state: JobState
        let place: Place
    }

    static func standing(of job: Int64, _ connection: Connection) throws -> Standing? {
        try connection.queryOne(
            """
            SELECT job.lane_id, job.state, lane.queue_id, lane.route_id, lane.budget, lane.kind, lane.owner,
                lane.batch_id
            FROM job
            JOIN lane ON lane.id = job.lane_id
            WHERE job.id = ?1
            """, [.integer(job)]
        ) { row in
            Standing(
                lane: row.int64(0), state: JobState(rawValue: row.text(1)) ?? .failed,
                place: Place(
                    queue: row.int64(2), route: row.int64(3), budget: row.text(4),
                    kind: LaneKind(rawValue: row.text(5)) ?? .common, owner: row.int64OrNil(6),
                    batch: row.int64OrNil(7)))
        }
    }

    /// Moves a job whose row and tallies agree to the lane that the change says, with the budgets that its tags have now.
    ///
    /// Returns where it stood, if that was elsewhere.
    @discardableResult
    static func move(
        _ job: Int64, _ context: WriteContext, _ change: (inout Place) throws -> Void = { _ in }
    ) throws -> Standing? {
        let connection = context.connection
        guard let old = try standing(of: job, connection) else { return nil }
        var place = old.place
        place.budget = try LaneBudget.name(of: job, connection)
        try change(&place)
        guard place != old.place else { return nil }
        let lane = try id(of: place, context)
        _ = try connection.run(
            "UPDATE job SET lane_id = ?2 WHERE id = ?1", [.integer(job), .integer(lane)])
        context.moved(lane: old.lane, batch: nil, from: old.state, to: nil)
        context.moved(lane: lane, batch: nil, from: nil, to: old.state)
        return old
    }

    /// To another route; at half the price only where the same service answers there too, as it is known to take batches.
    @discardableResult
    static func move(_ job: Int64, to route: Int64, _ context: WriteContext) throws -> Standing? {
        try move(job, context) { place in
            if place.kind == .halfPrice, try !sameService(place.route, route, context.connection) {
                place.kind = .common
            }
            place.route = route
        }
    }

    private static func sameService(_ a: Int64, _ b: Int64, _ connection: Connection) throws -> Bool {
        try RouteRow.load(a, connection)?.key.service == RouteRow.load(b, connection)?.key.service
    }

    private static func id(of place: Place, _ context: WriteContext) throws -> Int64 {
        guard place.kind == .interactive, let owner = place.owner else {
            return try context.laneID(
                queue: place.queue, route: place.route, budget: place.budget, kind: place.kind,
                batch: place.batch)
        }
        return try InteractiveLanes(context, owner: WorkerID(owner))
            .laneID(queue: place.queue, route: place.route, budget: place.budget)
    }
}
