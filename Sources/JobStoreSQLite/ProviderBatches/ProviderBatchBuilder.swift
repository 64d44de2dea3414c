import Jobs
import SQLite
import StoreRules

/// Reads which half-price lanes are due, and writes the provider batches that `ProviderBatchPlanner` makes of their jobs.
enum ProviderBatchBuilder {
    /// The lanes that are due, by their routes; read without any lock too.
    static func due(
        _ connection: Connection, terms: HalfPriceTerms, now: Now
    ) throws -> [(route: RouteState, lanes: [HalfPriceLane])] {
        var lanes = Dictionary(grouping: try HalfPriceLanes.readyLanes(connection), by: \.route)
        // What an earlier portion began is filled and sealed, whether or not more has come.
        let begun = try connection.query(
            "SELECT DISTINCT route_id FROM provider_batch WHERE ended_at IS NULL AND state = 'filling'"
        ) { row in row.int64(0) }
        for route in begun { lanes[route, default: []] += [] }
        let latest = now.timestamp.milliseconds - terms.linger
        return try lanes.sorted { $0.key < $1.key }.compactMap { id, lanes in
            guard begun.contains(id) || lanes.contains(where: { $0.since <= latest }),
                let route = try RouteState.load(id, connection), route.takesProviderBatches(terms, now: now)
            else { return nil }
            return (route, lanes)
        }
    }

    /// Returns whether some jobs are left that could be taken.
    static func build(_ context: WriteContext, _ request: BatchMaintenanceRequest) throws -> Bool {
        let (connection, now, settings) = (context.connection, context.now, context.settings)
        guard try ConfigurationHistory.isInForce(settings.configuration, connection) else { return false }
        let due = try due(connection, terms: request.terms, now: now).map { route, lanes in
            DueRoute(route: route, lanes: lanes, begun: try begun(on: route.id, connection))
        }
        let planner = ProviderBatchPlanner(
            try ClaimSnapshot(connection, worker: request.owner, now: now, settings: settings),
            StoredClaim(connection, now: now, interning: context), terms: request.terms,
            settings: settings.rules, now: now, random: AnyRandom(context.random))
        let plan = try planner.plan(due)
        context.random = plan.random.source
        try context.apply(plan.delta)
        return plan.isCut
    }

    private static func begun(on route: Int64, _ connection: Connection) throws -> [FillingBatch] {
        try connection.query(
            """
            SELECT id, deadline_class, requests, bytes, soonest_deadline
            FROM provider_batch
            WHERE route_id = ?1 AND ended_at IS NULL AND state = 'filling'
            """, [.integer(route)]
        ) { row in
            FillingBatch(
                place: BatchPlace(route: route, deadlineClass: row.int(1)), reference: .stored(row.int64(0)),
                requests: row.int(2), bytes: row.int(3),
                soonest: row.int64OrNil(4).map { Timestamp(milliseconds: $0) })
        }
    }
}
