package import Jobs
import Postgres
import StoreRules

extension PostgresJobStore {
    package func routes() async throws -> [RouteStatus] {
        let (now, settings) = (now(), settings)
        return try await readShared { access in
            try Routes.find(
                access, now: now, totals: try WaitingTotals(access, now: now, settings: settings))
        }
    }

    package func update(route name: String, paused: Bool) async throws -> RouteStatus? {
        try await write { context in
            let named = try RouteState.all(context.access).filter { $0.key.name == name }
            var rowCache = RowCache()
            try context.apply { delta in
                for route in named { delta.setPaused(paused, route, in: &rowCache, now: context.now.moment) }
            }
            context.save(rowCache)
            guard let id = named.last?.id else { return nil }
            return try RouteState.load(id, context.access)?.status(at: context.now)
        }
    }

    package func configure(route: RouteKey, limits: RouteLimits) async throws {
        try await write { context in
            guard let state = try RouteState.load(context.routeID(route), context.access) else { return }
            var rowCache = RowCache()
            try context.apply { delta in
                delta.configure(limits, of: state, in: &rowCache, now: context.now.moment)
            }
            context.save(rowCache)
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
    /// For so long a route without jobs stays in the lists.
    private static let shown: Milliseconds = 86_400_000

    static func find(_ access: Access, now: Now, totals: WaitingTotals) throws -> [RouteStatus] {
        let answers = try access.query([
            Call(.listedRoutes, [.integer((now.timestamp + -shown).milliseconds)]),
            Call(.requestsInBatches), Call(.refusedServices), Latencies.call(now),
        ])
        let latencies = try Latencies.read(answers[3])
        let listed = Set(try answers[0].map { row in try row.int64(0) })
        let away = Dictionary(
            uniqueKeysWithValues: try answers[1].map { row in (try row.int64(0), try row.int(1)) })
        let closures = try closures(answers[2], now, access)
        return try RouteState.all(access).filter { listed.contains($0.id) }.map { row in
            var status = row.status(at: now)
            status.latency = latencies[row.id]
            if status.gate == nil { status.gate = closures[row.key.service] }
            status.waiting = totals.routes[row.id] ?? []
            status.bottleneck = totals.bottlenecks[row.id]
            status.inBatches = away[row.id] ?? 0
            return status
        }
    }

    /// What jobs wait for whose service's keys are refused, all of them; mostly no key is.
    private static func closures(_ services: Rows, _ now: Now, _ access: Access) throws -> [ServiceKey:
        WaitingFor]
    {
        try services.reduce(into: [:]) { closures, row in
            let service = ServiceKey(
                provider: try row.text(0), endpoint: try row.text(1), credential: try row.text(2),
                simulated: try row.bool(3))
            closures[service] = try KeyHolder.all(of: service, owner: nil, now: now.moment, access)
                .closure(of: service, at: now)
        }
    }
}

extension Statement {
    /// Those that have unfinished jobs, had some within the day, or were spoken of by the operator.
    fileprivate static let listedRoutes = Statement(
        "listed-routes",
        """
        SELECT route_id
        FROM lane
        WHERE used_at > $1::bigint OR EXISTS (
            SELECT 1
            FROM lane_tally
            WHERE lane_id = lane.id AND jobs > 0 AND state IN ('queued', 'running')
        )
        UNION
        SELECT id
        FROM route
        WHERE paused OR running > 0 OR concurrency IS NOT NULL
            OR NOT EXISTS (SELECT 1 FROM lane WHERE lane.route_id = route.id)
        UNION
        SELECT route_id FROM bucket WHERE stated IS NOT NULL
        """, .bigint)
    /// Of the batches that are at the provider, by route: counted by batches, of which there are few.
    fileprivate static let requestsInBatches = Statement(
        "requests-in-batches",
        """
        SELECT route_id, sum(requests)::bigint
        FROM provider_batch
        WHERE ended_at IS NULL AND state NOT IN ('filling', 'sealed')
        GROUP BY route_id
        """)
    fileprivate static let refusedServices = Statement(
        "refused-services",
        "SELECT DISTINCT provider, endpoint, name, simulated FROM credential WHERE refused")
}
