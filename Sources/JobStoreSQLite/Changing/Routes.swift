package import Jobs
import SQLite

extension SQLiteJobStore {
    package func routes(now: Now) async throws -> [RouteStatus] {
        let settings = settings
        return try await read { connection in
            try Routes.find(
                connection, now: now, totals: try WaitingTotals(connection, now: now, settings: settings))
        }
    }

    package func update(route name: String, paused: Bool, now: Now) async throws -> RouteStatus? {
        try await write(now: now) { context in
            let connection = context.connection
            let named = try RouteRow.all(connection).filter { $0.key.name == name }
            for var route in named {
                _ = try connection.run(
                    "UPDATE route SET paused = ?2 WHERE id = ?1", [.integer(route.id), .bool(paused)])
                guard !paused else { continue }
                route.ledger.resume(now: now.moment)
                try route.save(connection)
                try route.dropForgottenLines(connection)
                try CredentialRow.acceptAgain(of: route.key.service, connection)
                // What waits to be sent need wait no longer for what the provider said then.
                _ = try connection.run(
                    "UPDATE provider_batch SET poll_at = NULL WHERE route_id = ?1 AND ended_at IS NULL",
                    [.integer(route.id)])
            }
            guard let id = named.last?.id else { return nil }
            return try RouteRow.load(id, connection)?.status(at: now)
        }
    }

    package func configure(route: RouteKey, limits: RouteLimits, now: Now) async throws {
        try await write(now: now) { context in
            let connection = context.connection
            guard var row = try RouteRow.load(context.routeID(route), connection) else { return }
            row.ledger.advance(to: now.moment)
            row.ledger.enforce(burst: limits.burst, reservesMaxTokens: limits.reservesMaxTokens)
            row.ledger.state(.requests, limits.requests, now: now.moment)
            row.ledger.state(.inputTokens, limits.inputTokens, now: now.moment)
            row.ledger.state(.outputTokens, limits.outputTokens, now: now.moment)
            try row.save(connection)
            try row.dropForgottenLines(connection)
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
        return try RouteRow.all(connection).filter { listed.contains($0.id) }.map { row in
            var status = row.status(at: now)
            status.latency = latencies[row.id]
            if status.gate == nil {
                status.gate = try CredentialRow.closure(of: row.key.service, owner: nil, now, connection)
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

extension RouteRow {
    fileprivate func status(at now: Now) -> RouteStatus {
        var ledger = ledger
        ledger.advance(to: now.moment)
        return RouteStatus(
            name: key.name, endpoint: key.service.endpoint, simulated: key.service.simulated,
            paused: ledger.isPaused, gate: ledger.closure(at: now), requests: ledger.level(.requests),
            inputTokens: ledger.level(.inputTokens), outputTokens: ledger.level(.outputTokens),
            running: ledger.running, succeeded: ledger.succeeded)
    }
}

extension RouteLedger {
    fileprivate func closure(at now: Now) -> WaitingFor? {
        switch gate.passage(at: now.moment) {
        case .open: nil
        case .oneProbe:
            WaitingFor(
                reason: gate.waitReason, detail: gate.words,
                until: gate.opening(after: nil, now: now.timestamp))
        case .closed(let wait):
            WaitingFor(
                reason: gate.waitReason, detail: gate.words,
                until: gate.opening(after: wait, now: now.timestamp))
        }
    }

    fileprivate func level(_ meter: Meter) -> RouteStatus.Level? {
        lines[meter].map { line in
            RouteStatus.Level(perMinute: line.bucket.perMinute, available: Int(line.bucket.level))
        }
    }
}
