package import Jobs
import Postgres
import StoreRules

extension PostgresJobStore {
    package func queue(_ name: String) async throws -> QueueStatus? {
        try await readShared { access in try Queues.find(access, Call(.queueByName, [.text(name)])).first }
    }

    package func queues() async throws -> [QueueStatus] {
        try await readShared { access in try Queues.find(access) }
    }

    package func update(queue name: String, _ patch: QueuePatch) async throws -> QueueStatus {
        try await write { context in
            let id = try context.queueID(name)
            let check = try patch.check.map { check in
                try check.map {
                    QueueCheck(rules: $0.rules, routes: try $0.routes.map { try context.routeID($0) })
                }
            }
            try context.apply { delta in delta.update(queue: id, patch, check: check) }
            guard let queue = try Queues.find(context.access, Call(.queueByName, [.text(name)])).first else {
                throw JobStoreError(.internal, "queue \(name) vanished inside its own transaction")
            }
            return queue
        }
    }
}

enum Queues {
    fileprivate static let columns =
        "id, name, paused, concurrency, weight, check_rules, requires_system, requires_check, max_input_tokens"
    fileprivate static let all = Call(.allQueues)

    /// In the order of their names.
    static func find(_ access: Access, _ call: Call = all, totals: WaitingTotals? = nil) throws
        -> [QueueStatus]
    {
        var found = try access.query([call])[0].map { row in (id: try row.int64(0), status: try status(row)) }
        guard !found.isEmpty else { return [] }
        let ids = found.map(\.id)
        let answers = try access.query(
            [Call(.countsOfQueues, [.integerArray(ids)]), Call(.streakRoutes, [.integerArray(ids)])]
                + QueueState.calls(ids))
        let counts = try counts(answers[0])
        let heldBack = try heldBack(QueueState.read(answers[2...]), on: routes(answers[1]))
        for index in found.indices {
            let id = found[index].id
            found[index].status.waiting = totals?.queues[id] ?? []
            found[index].status.heldBack = heldBack[id] ?? []
            found[index].status.counts = counts[id] ?? StateCounts()
        }
        return found.map(\.status)
    }

    private static func status(_ row: Row) throws -> QueueStatus {
        var queue = QueueStatus(
            name: try row.text(1), paused: try row.bool(2), concurrency: try row.intOrNil(3),
            weight: try row.int(4), counts: StateCounts())
        queue.check = try row.bytesOrNil(5)
        queue.requirement = QueueRequirement(
            system: try row.bool(6), check: try row.bool(7), maxInputTokens: try row.intOrNil(8))
        return queue
    }

    private static func counts(_ rows: Rows) throws -> [Int64: StateCounts] {
        try rows.reduce(into: [:]) { counts, row in
            guard let state = JobState(rawValue: try row.text(1)) else { return }
            counts[try row.int64(0), default: StateCounts()][state] = try row.int(2)
        }
    }

    /// The routes where queued jobs wait behind a run of refusals, by their queues.
    private static func routes(_ rows: Rows) throws -> [Int64: [Int64: RouteKey]] {
        try rows.reduce(into: [:]) { routes, row in
            let service = ServiceKey(
                provider: try row.text(2), endpoint: try row.text(3), credential: try row.text(5),
                simulated: try row.bool(6))
            routes[try row.int64(0), default: [:]][try row.int64(1)] = RouteKey(
                service: service, model: try row.text(4))
        }
    }

    private static func heldBack(
        _ queues: [QueueState], on routes: [Int64: [Int64: RouteKey]]
    ) -> [Int64: [HeldBack]] {
        queues.reduce(into: [:]) { heldBack, queue in
            heldBack[queue.id] = queue.streaks.heldBack(of: queue.name) { routes[queue.id]?[$0] }
        }
    }
}

extension Statement {
    fileprivate static let allQueues = Statement(
        "all-queues", assembled: "SELECT \(Queues.columns) FROM queue ORDER BY name", isKept: true)
    fileprivate static let queueByName = Statement(
        "queue-by-name", assembled: "SELECT \(Queues.columns) FROM queue WHERE name = $1::text", [.text],
        isKept: true)
    fileprivate static let countsOfQueues = Statement(
        "counts-of-queues",
        """
        SELECT lane.queue_id, lane_tally.state, sum(lane_tally.jobs)::bigint
        FROM lane
        JOIN lane_tally ON lane_tally.lane_id = lane.id
        WHERE lane.queue_id = ANY ($1::bigint[])
        GROUP BY lane.queue_id, lane_tally.state
        """, .bigints)
    fileprivate static let streakRoutes = Statement(
        "streak-routes",
        """
        SELECT refusal_streak.queue_id, route.id, route.provider, route.endpoint, route.model, route.credential, route.simulated
        FROM refusal_streak
        JOIN route ON route.id = refusal_streak.route_id
        WHERE refusal_streak.queue_id = ANY ($1::bigint[]) AND EXISTS (
            SELECT 1
            FROM lane
            JOIN lane_tally ON lane_tally.lane_id = lane.id
            WHERE lane.queue_id = refusal_streak.queue_id AND lane.route_id = refusal_streak.route_id
                AND lane_tally.state = 'queued' AND lane_tally.jobs > 0
        )
        """, .bigints)
}
