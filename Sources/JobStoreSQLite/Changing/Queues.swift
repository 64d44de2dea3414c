package import Jobs
import SQLite
import StoreRules

extension SQLiteJobStore {
    package func queue(_ name: String) async throws -> QueueStatus? {
        try await read { connection in
            try Queues.find(connection, "WHERE queue.name = ?1", [.text(name)]).first
        }
    }

    package func queues() async throws -> [QueueStatus] {
        try await read { connection in try Queues.find(connection) }
    }

    package func update(queue name: String, _ patch: QueuePatch) async throws -> QueueStatus {
        try await write { context in
            let id = try context.queueID(name)
            let connection = context.connection
            let check = try patch.check.map { check in
                try check.map {
                    QueueCheck(rules: $0.rules, routes: try $0.routes.map { try context.routeID($0) })
                }
            }
            try context.apply { delta in delta.update(queue: id, patch, check: check) }
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
            queue.heldBack = try RefusalStreaks.heldBack(of: id, name: queue.name, connection)
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
