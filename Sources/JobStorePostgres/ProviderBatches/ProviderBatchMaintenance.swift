import Jobs
import Postgres
import StoreRules

/// One run of a worker that maintains provider batches: short portions of what the store can do by itself, then one
/// provider batch that needs the provider.
struct ProviderBatchMaintenance {
    /// Jobs that one transaction takes back.
    private static let portion = 200

    let context: WriteContext
    let request: BatchMaintenanceRequest
    private var now: Now { context.now }
    private var terms: HalfPriceTerms { request.terms }

    init(context: WriteContext, request: BatchMaintenanceRequest) {
        self.context = context
        self.request = request
    }

    func run() throws -> BatchMaintenance {
        let urgent = try context.access.query([
            HalfPriceLanes.urgent(terms: terms, now: now.timestamp, limit: Self.portion)
        ])[0].map { row in try row.int64(0) }
        try HalfPriceLanes.leave(urgent, context)
        let taken = try takeBack()
        // While some of them are left, builders would meet them one by one.
        let more = try urgent.count == Self.portion || ProviderBatchBuilder.build(context, request)
        return BatchMaintenance(providerBatch: try next(), more: more || taken >= Self.portion)
    }

    /// Whether a run would have anything to do.
    static func isDue(_ access: Access, _ request: BatchMaintenanceRequest, now: Now) throws -> Bool {
        let found = try access.query(
            [
                HalfPriceLanes.urgent(terms: request.terms, now: now.timestamp, limit: 1),
                Call(
                    .someComesBack, [.integer(now.timestamp.milliseconds), .integer(latest(request, now))]),
                WaitingProviderBatch.call(for: request.owner, now: now.moment),
            ] + ProviderBatchBuilder.calls)
        if try found[0].count > 0 || found[1].first?.bool(0) == true { return true }
        return try WaitingProviderBatch.first(of: found[2], request, access, now: now) != nil
            || !ProviderBatchBuilder.due(found[3...], access, terms: request.terms, now: now).isEmpty
    }

    private static func latest(_ request: BatchMaintenanceRequest, _ now: Now) -> Int64 {
        request.terms.lastDeadline(at: now.timestamp).milliseconds
    }

    // MARK: What comes back

    private func takeBack() throws -> Int {
        context.run(.returnDue, [.integer(now.timestamp.milliseconds)])
        let returning = try OutWithBatch.all(
            context.query(.returning, [.integer(Self.portion)]), limit: Self.portion)
        let unbilled = returning.keys { state in !state.mayBeBilled }
        let billed = returning.keys { state in state.mayBeBilled }
        try BatchedRow(context).close(unbilled, unconfirmedCost: false)
        try BatchedRow(context).close(billed, unconfirmedCost: true)
        try context.apply { delta in
            for id in returning.complete { delta.add(.providerBatch(id, .end)) }
        }
        guard returning.rows < Self.portion else { return returning.rows }
        return returning.rows + (try giveUpOverdue(atMost: Self.portion - returning.rows))
    }

    /// A job that cannot wait any longer for what the provider will say is called again, as after a lost lease: the call may
    /// have been paid for.
    private func giveUpOverdue(atMost limit: Int) throws -> Int {
        let overdue = try OutWithBatch.all(
            context.query(.overdue, [.integer(Self.latest(request, now)), .integer(limit)]), limit: limit)
        try BatchedRow(context).writeOff(overdue.keys { _ in true })
        try context.apply { delta in
            for id in overdue.complete { delta.add(.providerBatch(id, .refreshDeadline)) }
        }
        return overdue.rows
    }

    // MARK: What needs the provider

    private func next() throws -> ProviderBatch? {
        let found = try context.access.query([
            WaitingProviderBatch.call(for: request.owner, now: now.moment)
        ])
        guard
            var batch = try WaitingProviderBatch.first(of: found[0], request, context.access, now: now)
        else { return nil }
        try context.apply { delta in delta.add(.providerBatch(batch.id.value, .own(by: request.owner))) }
        batch.isWanted =
            try context.queryOne(.isWanted, [.integer(batch.id.value)]) { try $0.bool(0) } ?? false
        return batch
    }
}

/// Attempts that are out with provider batches, as a portion of rows told of them.
private struct OutWithBatch {
    private var found: [(batch: Int64, state: ProviderBatch.State, key: AttemptKey?)]
    /// How many rows there were.
    var rows: Int { found.count }
    /// The batches of which no attempt was left out.
    let complete: [Int64]

    /// Batch, state, job and number, ordered by batches; the attempt is NULL where a batch has none.
    static func all(_ rows: Rows, limit: Int) throws -> OutWithBatch {
        OutWithBatch(
            try rows.map { row in
                let job = try row.int64OrNil(2)
                return (
                    try row.int64(0), ProviderBatch.State(rawValue: try row.text(1)) ?? .lost,
                    try job.map { AttemptKey(job: JobID($0), number: try row.int(3)) }
                )
            }, limit: limit)
    }

    private init(_ found: [(batch: Int64, state: ProviderBatch.State, key: AttemptKey?)], limit: Int) {
        self.found = found
        let isCut = found.count >= limit
        let batches = Set(found.map(\.batch)).sorted()
        complete = isCut ? batches.dropLast() : batches
    }

    func keys(where isWanted: (ProviderBatch.State) -> Bool) -> [AttemptKey] {
        found.filter { isWanted($0.state) }.compactMap(\.key)
    }
}

extension Statement {
    fileprivate static let someComesBack = Statement(
        "some-provider-batch-comes-back",
        """
        SELECT EXISTS (
            SELECT 1
            FROM provider_batch
            WHERE ended_at IS NULL AND (
                state = 'returning' OR state = 'lost'
                OR ((state = 'filling' OR state = 'sealed') AND recall_at <= $1::bigint)
                OR ((state = 'creating' OR state = 'away' OR state = 'recalled') AND soonest_deadline <= $2::bigint)
            )
        )
        """, .bigint, .bigint)

    fileprivate static let returnDue = Statement(
        "return-due-provider-batches",
        """
        UPDATE provider_batch
        SET state = 'returning', owner_id = NULL
        WHERE ended_at IS NULL AND (state = 'filling' OR state = 'sealed') AND recall_at <= $1::bigint
        """, .bigint)

    fileprivate static let returning = Statement(
        "returning-provider-batches",
        """
        SELECT provider_batch.id, provider_batch.state, sent.job_id, sent.number
        FROM provider_batch
        LEFT JOIN LATERAL (
            SELECT job_id, number
            FROM flight
            WHERE provider_batch_id = provider_batch.id
            ORDER BY job_id
            LIMIT $1::bigint
        ) AS sent ON true
        WHERE provider_batch.ended_at IS NULL AND (provider_batch.state = 'returning' OR provider_batch.state = 'lost')
        ORDER BY provider_batch.id, sent.job_id
        LIMIT $1::bigint
        """, .bigint)

    fileprivate static let overdue = Statement(
        "overdue-provider-batches",
        assembled: """
            SELECT provider_batch.id, provider_batch.state, late.job_id, late.number
            FROM provider_batch
            LEFT JOIN LATERAL (
                SELECT flight.job_id, flight.number
                FROM flight
                JOIN job ON job.id = flight.job_id
                WHERE flight.provider_batch_id = provider_batch.id AND job.deadline <= $1::bigint
                    AND \(ProviderBatches.holdsJob)
                ORDER BY flight.job_id
                LIMIT $2::bigint
            ) AS late ON true
            WHERE provider_batch.ended_at IS NULL
                AND (provider_batch.state = 'creating' OR provider_batch.state = 'away' OR provider_batch.state = 'recalled')
                AND provider_batch.soonest_deadline <= $1::bigint
            ORDER BY provider_batch.id, late.job_id
            LIMIT $2::bigint
            """, [.bigint, .bigint], isKept: true)

    fileprivate static let isWanted = Statement(
        "is-provider-batch-wanted",
        assembled: """
            WITH sent AS MATERIALIZED (
                SELECT job_id, number FROM flight WHERE provider_batch_id = $1::bigint
            )
            SELECT EXISTS (
                SELECT 1
                FROM sent AS flight
                WHERE \(ProviderBatches.holdsJob) AND NOT \(ProviderBatches.isOfCancelledBatch)
            )
            """, [.bigint], isKept: true)
}
