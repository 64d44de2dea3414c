import Jobs
import SQLite

/// Names become numbers once: queues, routes, and the lanes that they span.
extension Operation {
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
        if let id = try connection.queryOne(RouteRow.byKey, values, { row in row.int64(0) }) { return id }
        _ = try connection.run(
            """
            INSERT INTO route (provider, endpoint, model, credential, simulated)
            VALUES (?1, ?2, ?3, ?4, ?5)
            """, values)
        return connection.lastInsertRowID
    }

    /// A lane of the common line, or of another that no process owns; `budget` is what `LaneBudget` says of the jobs' tags,
    /// `owner` what a new one gets.
    func laneID(
        queue: Int64, route: Int64, budget: String = "", line: String = "", owner: Int64? = nil
    ) throws -> Int64 {
        let values: [Value] = [.integer(queue), .integer(route), .text(budget), .text(line)]
        if let id = try connection.queryOne(
            "SELECT id FROM lane WHERE queue_id = ?1 AND route_id = ?2 AND budget = ?3 AND line = ?4", values,
            { row in row.int64(0) })
        {
            return id
        }
        _ = try connection.run(
            "INSERT INTO lane (queue_id, route_id, budget, line, owner) VALUES (?1, ?2, ?3, ?4, ?5)",
            values + [.integer(owner)])
        return connection.lastInsertRowID
    }
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
