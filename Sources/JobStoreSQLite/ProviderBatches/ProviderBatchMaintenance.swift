import Jobs
import SQLite
import StoreRules

/// One run of a worker that maintains provider batches: short portions of what the store can do by itself, then one
/// provider batch that needs the provider.
struct ProviderBatchMaintenance {
    /// Jobs that one transaction takes back.
    private static let portion = 200

    let context: WriteContext
    let request: BatchMaintenanceRequest
    private var connection: Connection { context.connection }
    private var now: Now { context.now }
    private var terms: HalfPriceTerms { request.terms }

    init(context: WriteContext, request: BatchMaintenanceRequest) {
        self.context = context
        self.request = request
    }

    func run() throws -> BatchMaintenance {
        let urgent = try HalfPriceLanes.urgent(
            connection, terms: terms, now: now.timestamp, limit: Self.portion)
        for job in urgent { try HalfPriceLanes.leave(job, context) }
        let taken = try takeBack()
        let more = try ProviderBatchBuilder.build(context, request)
        return BatchMaintenance(
            providerBatch: try next(), more: more || urgent.count == Self.portion || taken >= Self.portion)
    }

    // MARK: What comes back

    private func takeBack() throws -> Int {
        _ = try connection.run(
            """
            UPDATE provider_batch
            SET state = 'returning', owner_id = NULL
            WHERE ended_at IS NULL AND (state = 'filling' OR state = 'sealed') AND recall_at <= ?1
            """, [.integer(now.timestamp.milliseconds)])
        var taken = 0
        let leaving = try connection.query(
            """
            SELECT id, state
            FROM provider_batch
            WHERE ended_at IS NULL AND (state = 'returning' OR state = 'lost')
            """
        ) { row in (id: row.int64(0), state: ProviderBatch.State(rawValue: row.text(1)) ?? .lost) }
        for providerBatch in leaving where taken < Self.portion {
            let keys = try open(of: providerBatch.id, limit: Self.portion - taken)
            for key in keys {
                try BatchedRow(context).close(key, unconfirmedCost: providerBatch.state.mayBeBilled)
            }
            taken += keys.count
            guard taken < Self.portion else { break }
            try context.apply { delta in delta.add(.providerBatch(providerBatch.id, .end)) }
        }
        if taken < Self.portion { taken += try giveUpOverdue(atMost: Self.portion - taken) }
        return taken
    }

    private func open(of providerBatch: Int64, limit: Int) throws -> [AttemptKey] {
        try connection.query(
            "SELECT job_id, number FROM attempt WHERE provider_batch_id = ?1 AND status = 'open' LIMIT ?2",
            [.integer(providerBatch), .integer(limit)]
        ) { row in AttemptKey(job: JobID(row.int64(0)), number: row.int(1)) }
    }

    /// A job that cannot wait any longer for what the provider will say is called again, as after a lost lease: the call may
    /// have been paid for.
    private func giveUpOverdue(atMost limit: Int) throws -> Int {
        let latest = terms.lastDeadline(at: now.timestamp)
        let overdue = try connection.query(
            Self.overdue, [.integer(latest.milliseconds)]
        ) { row in row.int64(0) }
        var given = 0
        for providerBatch in overdue where given < limit {
            let keys = try connection.query(
                """
                SELECT attempt.job_id, attempt.number
                FROM attempt
                JOIN job ON job.id = attempt.job_id
                WHERE attempt.provider_batch_id = ?1 AND attempt.status = 'open' AND job.deadline <= ?2
                    AND job.state = 'running' AND job.attempt = attempt.number
                LIMIT ?3
                """, [.integer(providerBatch), .integer(latest.milliseconds), .integer(limit - given)]
            ) { row in AttemptKey(job: JobID(row.int64(0)), number: row.int(1)) }
            for key in keys { try BatchedRow(context).writeOff(key) }
            given += keys.count
            guard given < limit else { break }
            try context.apply { delta in delta.add(.providerBatch(providerBatch, .refreshDeadline)) }
        }
        return given
    }

    private static let overdue = SQL(
        """
        SELECT id
        FROM provider_batch
        WHERE ended_at IS NULL AND (state = 'creating' OR state = 'away' OR state = 'recalled')
            AND soonest_deadline <= ?1
        """)

    // MARK: What needs the provider

    static func isDue(_ connection: Connection, _ request: BatchMaintenanceRequest, now: Now) throws -> Bool {
        let returning = try connection.queryOne(
            """
            SELECT 1
            FROM provider_batch
            WHERE ended_at IS NULL AND (
                state = 'returning' OR state = 'lost'
                OR ((state = 'filling' OR state = 'sealed') AND recall_at <= ?1)
            )
            LIMIT 1
            """, [.integer(now.timestamp.milliseconds)], { row in row.int(0) })
        if returning != nil { return true }
        let latest = request.terms.lastDeadline(at: now.timestamp)
        let late = try connection.queryOne(overdue, [.integer(latest.milliseconds)], { row in row.int64(0) })
        if late != nil { return true }
        return try waiting(connection, request, now: now) != nil
    }

    private func next() throws -> ProviderBatch? {
        guard let found = try Self.waiting(connection, request, now: now) else { return nil }
        try context.apply { delta in delta.add(.providerBatch(found.id.value, .own(by: request.owner))) }
        return found
    }

    /// One whose time has come and whose owner, if it had one, is gone.
    private static func waiting(
        _ connection: Connection, _ request: BatchMaintenanceRequest, now: Now
    ) throws -> ProviderBatch? {
        let found = try connection.query(
            due,
            [
                .integer(now.moment.epoch), .integer(now.moment.milliseconds),
                .integer(request.owner.value),
            ] + WorkerLiveness.values(now.moment)
        ) { row in (providerBatch: row.int64(0), route: row.int64(1)) }
        for candidate in found {
            guard let route = try RouteState.load(candidate.route, connection),
                let providerBatch = try find(candidate.providerBatch, route.key, connection),
                route.canAttend(providerBatch.state, request.terms, now: now)
            else { continue }
            return providerBatch
        }
        return nil
    }

    private static let due = SQL(
        """
        SELECT id, route_id
        FROM provider_batch
        WHERE ended_at IS NULL
            AND (state = 'sealed' OR state = 'creating' OR state = 'away' OR state = 'recalled')
            AND (poll_at IS NULL OR poll_boot <> ?1 OR poll_at <= ?2)
            AND (owner_id IS NULL OR owner_id = ?3 OR \(InteractiveLanes.ownerIsGone("?4", "?5", owner: "provider_batch.owner_id")))
        ORDER BY poll_at
        LIMIT 50
        """)

    private static let byID = SQL(
        """
        SELECT token, state, provider_id, rejected_ids, requests, sent_at, recall_at, failures,
            \(ProviderBatches.isWanted)
        FROM provider_batch
        WHERE id = ?1
        """)

    private static func find(
        _ id: Int64, _ route: RouteKey, _ connection: Connection
    ) throws -> ProviderBatch? {
        try connection.queryOne(
            byID, [.integer(id)]
        ) { row in
            ProviderBatch(
                id: ProviderBatchID(id), route: route, token: row.text(0),
                state: ProviderBatch.State(rawValue: row.text(1)) ?? .ended, providerID: row.textOrNil(2),
                rejectedIDs: row.text(3).split(separator: " ").map(String.init), requests: row.int(4),
                sentAt: row.int64OrNil(5).map { Timestamp(milliseconds: $0) },
                recallAt: row.int64OrNil(6).map { Timestamp(milliseconds: $0) }, failures: row.int(7),
                isWanted: row.bool(8))
        }
    }
}
