import Jobs
import Postgres
import StoreRules

/// Reads which half-price lanes are due, and writes the provider batches that `ProviderBatchPlanner` makes of their jobs.
enum ProviderBatchBuilder {
    /// The most jobs of one lane, and of all lanes, that are read ahead.
    private static let (mostHeads, mostHeadsOfAll) = (100, 1_000)

    /// Two statements, whose rows `due` takes; read without any lock too.
    static var calls: [Call] { [HalfPriceLanes.ready, Call(.fillingBatches)] }

    /// The routes that are due, with their lanes.
    static func due(
        _ found: ArraySlice<Rows>, _ access: Access, terms: HalfPriceTerms, now: Now
    ) throws -> [DueRoute] {
        guard let ready = found.first, let filling = found.last else { return [] }
        let lanes = Dictionary(grouping: try ready.map(HalfPriceLanes.lane), by: \.route)
        // What an earlier portion began is filled and sealed, whether or not more has come.
        let begun = Dictionary(grouping: try filling.map(FillingBatch.init), by: \.place.route)
        let latest = now.timestamp.milliseconds - terms.linger
        let late = lanes.filter { $0.value.contains { lane in lane.since <= latest } }
        return try RouteState.load(Set(late.keys).union(begun.keys).sorted(), access)
            .filter { $0.takesProviderBatches(terms, now: now) }
            .sorted { $0.id < $1.id }
            .map { DueRoute(route: $0, lanes: lanes[$0.id] ?? [], begun: begun[$0.id] ?? []) }
    }

    /// Returns whether some jobs are left that could be taken.
    static func build(_ context: WriteContext, _ request: BatchMaintenanceRequest) throws -> Bool {
        let (access, now, settings) = (context.access, context.now, context.settings)
        guard try ConfigurationHistory.isInForce(settings.configuration, access) else { return false }
        let found = try access.query(
            [VirtualTime.call, BudgetBook.call(at: now.timestamp), LaneMoves.pending] + calls)
        let due = try due(found[3...], access, terms: request.terms, now: now)
        guard !due.isEmpty else { return false }
        let snapshot = ClaimSnapshot(
            scheduler: try VirtualTime.read(found[0]),
            book: try BudgetBook.read(found[1], now: now.timestamp, prices: settings.rules.prices),
            refusedKeys: [:], lanesChange: found[2].count > 0)
        let planner = ProviderBatchPlanner(
            snapshot, try reads(due.flatMap(\.lanes), context), terms: request.terms,
            settings: settings.rules, now: now, random: AnyRandom(context.random))
        let plan = try planner.plan(due)
        context.random = plan.random.source
        try context.beginBatches(of: plan.delta)
        try context.apply(plan.delta)
        return plan.isCut
    }

    private static func reads(_ lanes: [HalfPriceLane], _ context: WriteContext) throws -> StoredClaim {
        let reads = StoredClaim(context.access, now: context.now, context: context)
        try reads.load(
            lanes.map { ReadyLane(id: $0.id, queue: $0.queue, route: $0.route, tags: $0.tags, owner: nil) },
            headsOfLane: min(mostHeads, mostHeadsOfAll / max(1, lanes.count) + 1))
        return reads
    }
}

extension FillingBatch {
    fileprivate init(_ row: Row) throws {
        self.init(
            place: BatchPlace(route: try row.int64(1), deadlineClass: try row.int(2)),
            reference: .stored(try row.int64(0)), requests: try row.int(3), bytes: try row.int(4),
            soonest: try row.timestampOrNil(5))
    }
}

extension Statement {
    fileprivate static let fillingBatches = Statement(
        "filling-provider-batches",
        """
        SELECT id, route_id, deadline_class, requests, bytes, soonest_deadline
        FROM provider_batch
        WHERE ended_at IS NULL AND state = 'filling'
        ORDER BY id
        """)
}
