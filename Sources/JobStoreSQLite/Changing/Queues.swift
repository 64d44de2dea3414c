package import Jobs
import SQLite

extension SQLiteJobStore {
    package func queue(_ name: String) async throws -> QueueStatus? {
        try await read { connection in
            try Queues.find(connection, "WHERE queue.name = ?1", [.text(name)]).first
        }
    }

    package func queues() async throws -> [QueueStatus] {
        try await read { connection in try Queues.find(connection) }
    }

    package func update(queue name: String, _ patch: QueuePatch, now: Now) async throws -> QueueStatus {
        try await write(now: now) { context in
            let id = try context.queueID(name)
            let connection = context.connection
            if let paused = patch.paused {
                _ = try connection.run(
                    "UPDATE queue SET paused = ?2 WHERE id = ?1",
                    [.integer(id), .bool(paused)])
                // Who resumes a queue has put right what its jobs were held back for.
                if !paused { try Streaks.delete(of: id, connection) }
            }
            if let concurrency = patch.concurrency {
                _ = try connection.run(
                    "UPDATE queue SET concurrency = ?2 WHERE id = ?1", [.integer(id), .integer(concurrency)])
            }
            if let weight = patch.weight {
                _ = try connection.run(
                    "UPDATE queue SET weight = ?2 WHERE id = ?1", [.integer(id), .integer(weight)])
            }
            if let check = patch.check {
                _ = try connection.run(
                    "UPDATE queue SET check_rules = ?2, check_routes = ?3 WHERE id = ?1",
                    [
                        .integer(id), .blob(check?.rules),
                        .text(try check.map { try Checks.routeList($0.routes, context) }),
                    ])
            }
            if let requirement = patch.requirement {
                _ = try connection.run(
                    """
                    UPDATE queue
                    SET requires_system = ?2, requires_check = ?3, max_input_tokens = ?4
                    WHERE id = ?1
                    """,
                    [
                        .integer(id), .bool(requirement.system), .bool(requirement.check),
                        .integer(requirement.maxInputTokens),
                    ])
            }
            guard let queue = try Queues.find(connection, "WHERE queue.id = ?1", [.integer(id)]).first else {
                throw JobStoreError(.internal, "queue \(name) vanished inside its own transaction")
            }
            return queue
        }
    }
}

enum Queues {
    static func find(
        _ connection: Connection, _ clause: String = "", _ values: [Value] = [], totals: WaitingTotals? = nil
    ) throws -> [QueueStatus] {
        let sql = SQL(
            """
            SELECT id, name, paused, concurrency, weight, check_rules, requires_system, requires_check,
                max_input_tokens
            FROM queue
            \(clause)
            ORDER BY name
            """)
        let found = try connection.query(sql, values) { row in
            var queue = QueueStatus(
                name: row.text(1), paused: row.bool(2), concurrency: row.intOrNil(3),
                weight: row.int(4), counts: StateCounts())
            queue.check = row.blobOrNil(5)
            queue.requirement = QueueRequirement(row, from: 6)
            return (row.int64(0), queue)
        }
        return try found.map { id, queue in
            var queue = queue
            queue.waiting = totals?.queues[id] ?? []
            queue.heldBack = try Streaks.heldBack(of: id, name: queue.name, connection)
            try connection.forEach(
                """
                SELECT lane_tally.state, sum(lane_tally.jobs)
                FROM lane
                JOIN lane_tally ON lane_tally.lane_id = lane.id
                WHERE lane.queue_id = ?1
                GROUP BY lane_tally.state
                """, [.integer(id)]
            ) { row in
                if let state = JobState(rawValue: row.text(0)) { queue.counts[state] = row.int(1) }
            }
            return queue
        }
    }
}
