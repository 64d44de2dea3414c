import Jobs
import Postgres
import StoreRules

/// Names become numbers once: queues, routes, and the lanes that they span.
extension WriteContext {
    func queueID(_ name: String) throws -> Int64 {
        let id = try queryOne(.findQueue, [.text(name)]) { row in try row.int64(0) }
        return try id ?? number(.insertQueue, [.text(name)])
    }

    func routeID(_ route: RouteKey) throws -> Int64 {
        let id = try queryOne(.findRoute, route.values) { row in try row.int64(0) }
        return try id ?? number(.insertRoute, route.values)
    }

    func laneID(of place: LanePlace) throws -> Int64 {
        guard place.kind == .interactive, let owner = place.owner else {
            return try laneID(
                queue: place.queue, route: place.route, budget: place.budget, kind: place.kind,
                batch: place.batch)
        }
        return try InteractiveLanes(self, owner: WorkerID(owner))
            .laneID(queue: place.queue, route: place.route, budget: place.budget)
    }

    /// A lane that is no process's own; `budget` is what `LaneBudget` says of the jobs' tags.
    func laneID(
        queue: Int64, route: Int64, budget: String = "", kind: LaneKind = .common, batch: Int64? = nil
    ) throws -> Int64 {
        let place = LanePlace(queue: queue, route: route, budget: budget, kind: kind)
        // A batch's lane may become another's.
        if batch == nil, let known = lanes[place] { return known }
        let id = try findLane(place, batch: batch)
        if batch == nil { lanes[place] = id }
        return id
    }

    private func findLane(_ place: LanePlace, batch: Int64?) throws -> Int64 {
        let values: [Value] = [
            .integer(place.queue), .integer(place.route), .text(place.budget),
            .text(place.kind.variant(of: batch)),
        ]
        if let id = try queryOne(.findLane, values, { row in try row.int64(0) }) { return id }
        let new = values + [.text(place.kind.rawValue), .integer(batch)]
        if batch != nil, let id = try queryOne(.inheritLane, new, { row in try row.int64(0) }) { return id }
        return try number(.insertLane, new)
    }

    /// The number of the row that the statement makes.
    func number(_ statement: Statement, _ values: [Value]) throws -> Int64 {
        guard let id = try queryOne(statement, values, { row in try row.int64(0) }) else {
            throw JobStoreError(.internal, "the database returned no number from \(statement.name)")
        }
        return id
    }
}

extension Statement {
    static let findQueue = Statement("find-queue", "SELECT id FROM queue WHERE name = $1::text", .text)
    fileprivate static let insertQueue = Statement(
        "insert-queue", "INSERT INTO queue (name) VALUES ($1::text) RETURNING id", .text)
    fileprivate static let findRoute = Statement(
        "find-route",
        """
        SELECT id
        FROM route
        WHERE provider = $1::text AND endpoint = $2::text AND model = $3::text AND credential = $4::text
            AND simulated = $5::boolean
        """, .text, .text, .text, .text, .bool)
    fileprivate static let insertRoute = Statement(
        "insert-route",
        """
        INSERT INTO route (provider, endpoint, model, credential, simulated)
        VALUES ($1::text, $2::text, $3::text, $4::text, $5::boolean)
        RETURNING id
        """, .text, .text, .text, .text, .bool)
    fileprivate static let findLane = Statement(
        "find-lane",
        """
        SELECT id
        FROM lane
        WHERE queue_id = $1::bigint AND route_id = $2::bigint AND budget = $3::text AND variant = $4::text
        """, .bigint, .bigint, .text, .text)

    /// Whether a batch's lane is closed to claims: what comes to it late must not be claimed either.
    private static let isSealed = """
        EXISTS (
            SELECT 1
            FROM message_batch
            WHERE message_batch.batch_id = $6::bigint AND (NOT open OR cancelled_at IS NOT NULL)
        )
        """

    fileprivate static let insertLane = Statement(
        "insert-lane",
        assembled: """
            INSERT INTO lane (queue_id, route_id, budget, variant, kind, batch_id, sealed)
            VALUES ($1::bigint, $2::bigint, $3::text, $4::text, $5::text, $6::bigint, \(isSealed))
            RETURNING id
            """, [.bigint, .bigint, .text, .text, .text, .bigint], isKept: true)

    /// Batches come and go: one takes over the lane of another whose jobs are all deleted, so that lanes do not add up.
    fileprivate static let inheritLane = Statement(
        "inherit-lane",
        assembled: """
            UPDATE lane
            SET variant = $4::text, batch_id = $6::bigint, sealed = \(isSealed)
            WHERE id = (
                SELECT lane.id
                FROM lane
                WHERE lane.queue_id = $1::bigint AND lane.route_id = $2::bigint AND lane.budget = $3::text
                    AND lane.kind = $5::text AND lane.batch_id IS NOT NULL
                    AND NOT EXISTS (
                        SELECT 1 FROM lane_tally WHERE lane_tally.lane_id = lane.id AND lane_tally.jobs > 0
                    )
                    -- Tallies are written at the end of an operation, which may have put a job there.
                    AND \(isEmpty)
                LIMIT 1
            )
            RETURNING id
            """, [.bigint, .bigint, .text, .text, .text, .bigint], isKept: true)

    /// Whether a lane has no unfinished job.
    static let isEmpty = """
        NOT EXISTS (SELECT 1 FROM waiting WHERE waiting.lane_id = lane.id)
        AND NOT EXISTS (SELECT 1 FROM running WHERE running.lane_id = lane.id)
        """
}
