import Jobs
import SQLite

/// A look at what could be claimed, without any lock.
struct WorkCheck {
    let connection: Connection
    let request: ClaimRequest
    let now: Now
    let settings: StoreSettings
    private var services: [ServiceKey] { request.services }
    private var sharesAnswers: Bool { settings.sharesAnswers }
    private var detour: FallbackProbe {
        FallbackProbe(
            connection: connection, services: services, chains: settings.fallbacks, now: now, book: book)
    }
    private let book: BudgetBook
    private let refusedKeys: [ServiceKey: CredentialRow]

    struct Finding {
        var hasWork: Bool
        var wakeAfter: Milliseconds?
    }

    struct ReadyLane {
        let id: Int64
        let queue: Int64
        let route: Int64
        /// Those of its jobs' tags that have a budget.
        let tags: [String]
        /// The serving process whose own line it is part of; nil for the common line.
        var owner: Int64?

        /// Whether its jobs are the claiming worker's to take.
        func isOpen(to request: ClaimRequest) -> Bool {
            owner == (request.partition == .interactive ? request.worker.value : nil)
        }
    }

    init(_ connection: Connection, request: ClaimRequest, now: Now, settings: StoreSettings) throws {
        self.connection = connection
        self.request = request
        self.now = now
        self.settings = settings
        book = try BudgetBook.load(connection, now: now.timestamp, prices: settings.prices)
        refusedKeys = try CredentialRow.refused(of: request.worker, connection)
    }

    func quickCheck() throws -> Finding {
        guard try ConfigurationHistory.isInForce(settings.configuration, connection) else {
            return Finding(hasWork: false)
        }
        let held = try Self.soonestHeld(connection).map { $0 - now.timestamp.milliseconds }
        if let held, held <= 0 { return Finding(hasWork: true) }
        if try connection.queryOne("SELECT 1 FROM pending_release LIMIT 1", [], { row in row.int(0) }) != nil
        {
            return Finding(hasWork: true)
        }
        var finding = Finding(hasWork: false, wakeAfter: held)
        for lane in try Self.readyLanes(connection) where lane.isOpen(to: request) {
            switch try passage(of: lane) {
            // The claim looks at the other lanes anyway.
            case .open: return Finding(hasWork: true)
            case .closed(let after?): finding.wakeAfter = min(finding.wakeAfter ?? .max, after)
            case .closed(nil): break
            }
        }
        return finding
    }

    private enum Passage {
        case open
        case closed(Milliseconds?)
    }

    /// Whether the lane's gates let its first job through.
    ///
    /// A job with a cached answer needs no gate, but is found
    /// only by asking for each one's hash: jobs of a lane that stays closed wait for it to open.
    private func passage(of lane: ReadyLane) throws -> Passage {
        guard var queue = try QueueRow.load(lane.queue, connection), !queue.paused,
            var route = try RouteRow.load(lane.route, connection), services.contains(route.key.service)
        else { return .closed(nil) }
        let head = try Candidate.heads(of: lane.id, limit: 1, connection).first
        guard var first = try head ?? Candidate.loners(of: lane.id, limit: 1, connection).first
        else { return .closed(nil) }
        first.moneyTokens = settings.moneyTokens(of: first.maxTokens, isInteractive: lane.owner != nil)
        if first.cache == .use, sharesAnswers,
            try CachedAnswer.find(first.promptHash, route: lane.route, now: now.timestamp, connection) != nil
        {
            return .open
        }
        if let limit = queue.concurrency, queue.running >= limit { return .closed(nil) }
        if case .refused(_, _, let after) = refusedKeys[route.key.service]?.closure(at: now.moment) {
            return .closed(after)
        }
        if lane.owner != nil { queue = queue.withoutStreaks }
        if route.ledger.isOfAnotherBoot(at: now.moment) { return .open }
        route.ledger.advance(to: now.moment)
        // A job that can never be paid for is the claim's to fail.
        if try book.refusal(
            of: first, from: route.key, settings.fallbacks, queue: queue.name, tags: lane.tags, connection)
            != nil
        {
            return .open
        }
        switch route.admission(of: first, in: queue, tags: lane.tags, book: book, now: now.moment) {
        case .admitted: return .open
        case .refused(_, _, let after):
            return try detour.isOpen(to: first, from: route, queue, tags: lane.tags) ? .open : .closed(after)
        }
    }

    /// The lanes that have ready jobs and whose queue is not paused, hopping from lane to lane in the index: its cost grows
    /// with lanes, not jobs.
    static func readyLanes(_ connection: Connection) throws -> [ReadyLane] {
        try connection.query(open) { row in
            ReadyLane(
                id: row.int64(0), queue: row.int64(1), route: row.int64(2),
                tags: LaneBudget.tags(of: row.text(3)), owner: row.int64OrNil(4))
        }
    }

    private static let open = SQL(
        """
        \(lanesWithReadyJobs)
        SELECT lane.id, lane.queue_id, lane.route_id, lane.budget, lane.owner
        FROM ready
        JOIN lane ON lane.id = ready.lane_id
        JOIN queue ON queue.id = lane.queue_id
        WHERE queue.paused = 0 AND lane.kind <> 'half_price' AND lane.sealed = 0
        """)

    static let lanesWithReadyJobs = """
        WITH RECURSIVE ready (lane_id) AS (
            SELECT (SELECT min(lane_id) FROM job WHERE ready = 1)
            UNION ALL
            SELECT (SELECT min(job.lane_id) FROM job WHERE job.ready = 1 AND job.lane_id > ready.lane_id)
            FROM ready
            WHERE ready.lane_id IS NOT NULL
        )
        """

    static func soonestHeld(_ connection: Connection) throws -> Int64? {
        try connection.queryOne("SELECT min(held_until) FROM job WHERE held_until IS NOT NULL") { row in
            row.int64OrNil(0)
        } ?? nil
    }
}
