import Jobs
import SQLite
import StoreRules

/// Names become numbers once: queues, routes, and the lanes that they span.
extension WriteContext {
    func queueID(_ name: String) throws -> Int64 {
        if let id = try connection.queryOne(
            "SELECT id FROM queue WHERE name = ?1", [.text(name)], { row in row.int64(0) })
        {
            return id
        }
        _ = try connection.run("INSERT INTO queue (name) VALUES (?1)", [.text(name)])
        return connection.lastInsertRowID
    }

    func routeID(_ route: RouteKey) throws -> Int64 {
        let values = route.values
        if let id = try connection.queryOne(RouteState.byKey, values, { row in row.int64(0) }) { return id }
        _ = try connection.run(
            """
            INSERT INTO route (provider, endpoint, model, credential, simulated)
            VALUES (?1, ?2, ?3, ?4, ?5)
            """, values)
        return connection.lastInsertRowID
    }

    /// A lane that is no process's own; `budget` is what `LaneBudget` says of the jobs' tags.
    func laneID(
        queue: Int64, route: Int64, budget: String = "", kind: LaneKind = .common, batch: Int64? = nil
    ) throws -> Int64 {
        let values: [Value] = [
            .integer(queue), .integer(route), .text(budget), .text(kind.variant(of: batch)),
        ]
        if let id = try connection.queryOne(
            "SELECT id FROM lane WHERE queue_id = ?1 AND route_id = ?2 AND budget = ?3 AND variant = ?4",
            values,
            { row in row.int64(0) })
        {
            return id
        }
        let new = values + [.text(kind.rawValue), .integer(batch)]
        if batch != nil, let id = try connection.queryOne(Self.inheritance, new, { row in row.int64(0) }) {
            return id
        }
        _ = try connection.run(Self.newLane, new)
        return connection.lastInsertRowID
    }

    /// Whether a batch's lane is closed to claims: what comes to it late must not be claimed either.
    private static let isSealed = """
        EXISTS (
            SELECT 1
            FROM message_batch
            WHERE message_batch.batch_id = ?6 AND (open = 0 OR cancelled_at IS NOT NULL)
        )
        """

    private static let newLane = SQL(
        """
        INSERT INTO lane (queue_id, route_id, budget, variant, kind, batch_id, sealed)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, \(isSealed))
        """)

    /// Batches come and go: one takes over the lane of another whose jobs are all deleted, so that lanes do not add up.
    private static let inheritance = SQL(
        """
        UPDATE lane
        SET variant = ?4, batch_id = ?6, sealed = \(isSealed)
        WHERE id = (
            SELECT lane.id
            FROM lane
            WHERE lane.queue_id = ?1 AND lane.route_id = ?2 AND lane.budget = ?3 AND lane.kind = ?5
                AND lane.batch_id IS NOT NULL
                AND NOT EXISTS (
                    SELECT 1 FROM lane_tally WHERE lane_tally.lane_id = lane.id AND lane_tally.jobs > 0
                )
                -- Tallies are written at the end of an operation, which may have put a job there.
                AND NOT EXISTS (SELECT 1 FROM job WHERE job.lane_id = lane.id AND job.finish_order IS NULL)
            LIMIT 1
        )
        RETURNING id
        """)
}

extension RouteKey {
    /// As the columns that tell routes apart.
    var values: [Value] {
        [
            .text(service.provider), .text(service.endpoint), .text(model), .text(service.credential),
            .bool(service.simulated),
        ]
    }
}
