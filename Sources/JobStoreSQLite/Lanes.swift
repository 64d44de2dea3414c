import Jobs
import SQLite

/// Queued jobs change lanes when their route changes, and when who serves them does.
enum Lanes {
    /// What makes a lane.
    struct Place {
        var queue: Int64
        var route: Int64
        var budget: String
        /// Empty for the common one.
        var line: String
        /// The serving process whose own line it is part of.
        var owner: Int64?

        /// Whether it is part of the line that all workers serve.
        var isCommon: Bool { line.isEmpty }
    }

    static func place(of job: StoredJob, _ connection: Connection) throws -> Place? {
        try connection.queryOne(
            "SELECT queue_id, route_id, budget, line, owner FROM lane WHERE id = ?1", [.integer(job.lane)]
        ) { row in
            Place(
                queue: row.int64(0), route: row.int64(1), budget: row.text(2), line: row.text(3),
                owner: row.int64OrNil(4))
        }
    }

    /// Into the common line; returns the job's queue.
    @discardableResult
    static func move(_ job: StoredJob, to route: Int64, _ operation: Operation) throws -> Int64? {
        guard let place = try place(of: job, operation.connection) else { return nil }
        let lane = try operation.laneID(queue: place.queue, route: route, budget: place.budget)
        try move(job, into: lane, operation)
        return place.queue
    }

    /// Whoever served the job's own line does so no more.
    static func moveToCommonLine(_ job: StoredJob, _ operation: Operation) throws {
        guard let place = try place(of: job, operation.connection), !place.isCommon else { return }
        try move(job, to: place.route, operation)
    }

    static func move(_ job: StoredJob, into lane: Int64, _ operation: Operation) throws {
        guard lane != job.lane else { return }
        _ = try operation.connection.run(
            "UPDATE job SET lane_id = ?2 WHERE id = ?1", [.integer(job.id), .integer(lane)])
        operation.moved(lane: job.lane, batch: nil, from: .queued, to: nil)
        operation.moved(lane: lane, batch: nil, from: nil, to: .queued)
    }
}
