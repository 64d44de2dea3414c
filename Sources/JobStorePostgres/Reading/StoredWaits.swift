import Jobs
import Postgres
import StoreRules

/// What the explanations of waiting jobs and the forecasts read of the database: for all jobs or lanes at hand together, when it is asked of
/// the first.
final class StoredWaits: WaitReads {
    let access: Access
    let now: Now
    private let prices: PriceTable
    private var queues = Gathered<Int64, QueueState>()
    private var routes = Gathered<Int64, RouteState>()
    private var routesByKey = Gathered<RouteKey, RouteState>()
    private var jobs = Gathered<Int64, WaitingJob>()
    private var batches = Gathered<AttemptKey, ProviderBatchStanding>()
    private var heads = Gathered<Int64, Int64>()
    private var ranks = Gathered<Int64, (first: Int64, last: Int64)>()
    private var queued = Gathered<Int64, Int>()
    private var ready = Gathered<Int64, Int>()
    private var ahead = Gathered<WaitingPlace, Int>()
    private var holders = Gathered<KeyOwner, [KeyHolder]>()
    /// Lanes whose lines matter only if nothing holds back the first lane of their route.
    private var laterLanes: [Int64] = []
    private var busy: Int?
    private var common: Common?

    /// What every explanation needs.
    private struct Common {
        let book: BudgetBook
        let slots: Int
        let anyKeyIsRefused: Bool
        let lanes: [ReadyLane]
    }

    private struct KeyOwner: Hashable {
        var service: ServiceKey
        var owner: Int64?
    }

    init(_ access: Access, now: Now, prices: PriceTable) {
        self.access = access
        self.now = now
        self.prices = prices
    }

    /// Jobs that will be asked for.
    func expect(_ listed: [Job]) {
        jobs.expect(listed.filter { $0.state == .queued }.map(\.id.value))
        batches.expect(
            listed.filter { $0.state == .running && $0.isHalfPrice }
                .map { AttemptKey(job: $0.id, number: $0.attempt) })
    }

    func budgetBook() throws -> BudgetBook { try demandCommon().book }

    func waitingJob(_ id: Int64) throws -> WaitingJob? {
        try jobs.value(of: id) { ids in
            let answers = try access.query([WaitingJob.call(ids)] + (common == nil ? commonCalls : []))
            if common == nil { common = try readCommon(answers[1...]) }
            let found = try answers[0].map { row in try WaitingJob(row) }
            queues.expect(found.map(\.queue))
            routes.expect(found.map(\.route))
            heads.expect(found.map(\.lane))
            ranks.expect(found.map(\.lane))
            queued.expect(found.map(\.lane))
            ahead.expect(found.filter { $0.hold == nil }.map(WaitingPlace.init))
            return Dictionary(uniqueKeysWithValues: found.map { ($0.id, $0) })
        }
    }

    /// With the routes and the first jobs in line that will be asked for next.
    func queue(_ id: Int64) throws -> QueueState? {
        try queues.value(of: id) { ids in
            let (routeIDs, laneIDs) = (routes.takeExpected(), heads.takeExpected())
            let answers = try access.query(
                [RouteState.call(routeIDs), WaitingLines.heads(of: laneIDs)] + QueueState.calls(ids))
            let found = try answers[0].map { row in try RouteState(row) }
            routes.know(routeIDs, Dictionary(uniqueKeysWithValues: found.map { ($0.id, $0) }))
            let leading = try WaitingLines.numbers(answers[1])
            heads.know(laneIDs, leading)
            jobs.expect(leading.values)
            return Dictionary(
                uniqueKeysWithValues: try QueueState.read(answers[2...]).map { ($0.id, $0) })
        }
    }

    func route(_ id: Int64) throws -> RouteState? {
        try routes.value(of: id) { ids in
            Dictionary(uniqueKeysWithValues: try RouteState.load(ids, access).map { ($0.id, $0) })
        }
    }

    func route(_ key: RouteKey) throws -> RouteState? {
        try routesByKey.value(of: key) { keys in
            try keys.reduce(into: [:]) { found, key in found[key] = try RouteState.find(key, access) }
        }
    }

    func providerBatch(of attempt: AttemptKey) throws -> ProviderBatchStanding? {
        try batches.value(of: attempt) { attempts in try ProviderBatchStanding.load(attempts, access) }
    }
}

// MARK: - Lanes

extension StoredWaits {
    func readyLanes() throws -> [ReadyLane] { try demandCommon().lanes }

    /// Their first jobs will be asked for, and how long the line of each route's first lane is.
    func waitingLanes(limit: Int) throws -> [WaitingLane] {
        let found = try WaitingLane.load(limit: limit, access)
        jobs.expect(found.compactMap(\.head))
        queues.expect(found.map(\.queue))
        routes.expect(found.map(\.route))
        let firsts = Set(Dictionary(found.map { ($0.route, $0.id) }) { first, _ in first }.values)
        ready.expect(firsts)
        laterLanes = found.map(\.id).filter { !firsts.contains($0) }
        return found
    }

    func head(of lane: Int64) throws -> Int64? {
        try heads.value(of: lane) { lanes in
            let found = try WaitingLines.numbers(access.query([WaitingLines.heads(of: lanes)])[0])
            jobs.expect(found.values)
            return found
        }
    }

    func readyJobs(of lane: Int64, limit: Int) throws -> Int {
        defer {
            ready.expect(laterLanes)
            laterLanes = []
        }
        return try ready.value(of: lane) { lanes in
            try WaitingLines.lengths(of: lanes, limit: limit, access)
        } ?? 0
    }

    func readyJobs(ahead job: WaitingJob, limit: Int) throws -> Int {
        try ahead.value(of: WaitingPlace(job)) { places in
            try WaitingLines.jobs(ahead: places, limit: limit, access)
        } ?? 0
    }

    func ranks(of lane: Int64) throws -> (first: Int64, last: Int64)? {
        try ranks.value(of: lane) { lanes in try WaitingLines.ranks(of: lanes, access) }
    }

    func queuedJobs(of lane: Int64) throws -> Int {
        try queued.value(of: lane) { lanes in try WaitingLines.tallies(of: lanes, access) } ?? 0
    }
}

// MARK: - Workers

extension StoredWaits {
    func slots() throws -> Int { try demandCommon().slots }

    func busySlots() throws -> Int {
        let found = try busy ?? access.queryOne(.busySlots) { row in try row.int(0) } ?? 0
        busy = found
        return found
    }

    func callers(of service: ServiceKey) throws -> [ServiceCaller] {
        try WorkerServices.callers(of: service, now: now.moment, access)
    }

    func keyHolders(of service: ServiceKey, owner: Int64?) throws -> [KeyHolder] {
        try holders.value(of: KeyOwner(service: service, owner: owner)) { wanted in
            guard try demandCommon().anyKeyIsRefused else { return [:] }
            return try wanted.reduce(into: [:]) { found, key in
                found[key] = try KeyHolder.all(
                    of: key.service, owner: key.owner, now: now.moment, access)
            }
        } ?? []
    }
}

// MARK: - What every explanation needs

extension StoredWaits {
    private func demandCommon() throws -> Common {
        if let common { return common }
        let found = try readCommon(access.query(commonCalls)[...])
        common = found
        return found
    }

    private var commonCalls: [Call] {
        [
            BudgetBook.call(at: now.timestamp), Call(.liveSlots, WorkerLiveness.values(now.moment)),
            Call(.anyRefusedKey), ReadyLane.call,
        ]
    }

    private func readCommon(_ answers: ArraySlice<Rows>) throws -> Common {
        let answers = Array(answers)
        let lanes = try ReadyLane.read(answers[3])
        // The queues that share a route are asked for together.
        queues.expect(lanes.map(\.queue))
        return Common(
            book: try BudgetBook.read(answers[0], now: now.timestamp, prices: prices),
            slots: try answers[1].first?.int(0) ?? 0, anyKeyIsRefused: !answers[2].isEmpty, lanes: lanes)
    }
}

extension WaitingTotals {
    init(_ access: Access, now: Now, settings: StoreSettings) throws {
        try self.init(
            StoredWaits(access, now: now, prices: settings.prices), now: now, settings: settings.rules)
    }
}

extension Statement {
    fileprivate static let liveSlots = Statement(
        "live-slots",
        """
        SELECT coalesce(sum(slots), 0)::bigint
        FROM worker
        WHERE NOT stopped AND NOT is_interactive AND seen_at > $1::bigint
        """, .bigint)
    fileprivate static let busySlots = Statement(
        "busy-slots",
        """
        SELECT count(*)
        FROM worker
        JOIN flight ON flight.worker_id = worker.id
        WHERE NOT worker.stopped AND NOT worker.is_interactive
        """)
}
