package import Jobs
import SQLite
import StoreRules

extension SQLiteJobStore {
    package func routes() async throws -> [RouteStatus] {
        let (now, settings) = (now(), settings)
        return try await read { connection in
            try Routes.find(
                connection, now: now, totals: try WaitingTotals(connection, now: now, settings: settings))
        }
    }

    package func update(route name: String, paused: Bool) async throws -> RouteStatus? {
        try await write { context in
            let named = try RouteState.all(context.connection).filter { $0.key.name == name }
            var rowCache = RowCache()
            try context.apply { delta in
                for route in named { delta.setPaused(paused, route, in: &rowCache, now: context.now.moment) }
            }
            try context.save(rowCache)
            guard let id = named.last?.id else { return nil }
            return try RouteState.load(id, context.connection)?.status(at: context.now)
        }
    }

    package func configure(route: RouteKey, limits: RouteLimits) async throws {
        try await write { context in
            guard let state = try RouteState.load(context.routeID(route), context.connection) else { return }
            var rowCache = RowCache()
            try context.apply { delta in
                delta.configure(limits, of: state, in: &rowCache, now: context.now.moment)
            }
            try context.save(rowCache)
        }
    }

    package func configure(route: RouteKey, concurrency: Int?) async throws {
        try await write { context in
            let id = try context.routeID(route)
            // The claim alone reads it: calls in flight above a new cap run to their end.
            try context.apply { delta in delta.add(.route(id, .concurrency(concurrency))) }
        }
    }
}

enum Routes {
    static func find(_ connection: Connection, now: Now, totals: WaitingTotals) throws
        -> [RouteStatus]
    {
        let latencies = try Latencies.find(connection, now: now)
        let away = try inBatches(connection)
        let listed = try listed(connection, now: now.timestamp)
        return try RouteState.all(connection).filter { listed.contains($0.id) }.map { row in
            var status = row.status(at: now)
            status.latency = latencies[row.id]
            if status.gate == nil {
                status.gate = try CredentialState.closure(of: row.key.service, owner: nil, now, connection)
            }
            status.waiting = totals.routes[row.id] ?? []
            status.bottleneck = totals.bottlenecks[row.id]
            status.inBatches = away[row.id] ?? 0
            return status
        }
    }

    /// Requests of the batches that are at the provider, by route: counted by batches, of which there are few.
    private static func inBatches(_ connection: Connection) throws -> [Int64: Int] {
        let counts = try connection.query(
            """
            SELECT route_id, sum(requests)
            FROM provider_batch
            WHERE ended_at IS NULL AND state NOT IN ('filling', 'sealed')
            GROUP BY route_id
            """
        ) { row in (row.int64(0), row.int(1)) }
        return Dictionary(uniqueKeysWithValues: counts)
    }
}

extension Routes {
    /// For so long a route without jobs stays in the lists.
    private static let shown: Milliseconds = 86_400_000

    /// Those that have unfinished jobs, had some within the day, or were spoken of by the operator.
    private static func listed(_ connection: Connection, now: Timestamp) throws -> Set<Int64> {
        let ids = try connection.query(
            """
            SELECT route_id
            FROM lane
            WHERE used_at > ?1 OR EXISTS (
                SELECT 1
                FROM lane_tally
                WHERE lane_id = lane.id AND jobs > 0 AND state IN ('queued', 'running')
            )
            UNION
            SELECT id
            FROM route
            WHERE paused = 1 OR running > 0 OR concurrency IS NOT NULL OR id NOT IN (SELECT route_id FROM lane)
            UNION
            SELECT route_id FROM bucket WHERE stated IS NOT NULL
            """, [.integer((now + -shown).milliseconds)]
        ) { row in row.int64(0) }
        return Set(ids)
    }
}
