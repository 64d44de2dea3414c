import Jobs
import SQLite

/// Says what a queued job waits for, from the same gates that the claim reads.
struct WaitReasonResolver {
    let connection: Connection
    let now: Now
    private var routes: [Int64: RouteRow] = [:]
    private var forecast: Forecast
    private var attendances: [ServiceKey: ServiceCoverage] = [:]
    private var book: BudgetBook?
    private let settings: StoreSettings

    /// A worker not heard of for so long does not count.
    static let workerPatience: Milliseconds = 30_000

    init(_ connection: Connection, now: Now, settings: StoreSettings) {
        self.connection = connection
        self.now = now
        forecast = Forecast(connection, now: now)
        self.settings = settings
    }

    struct Standing {
        var place: Forecast.Place
        var ready: Bool
        var heldUntil: Timestamp?
        var isHeldUnderHash: Bool
        var runAt: Timestamp
        var failures: Int
        /// Where it stands in its route's chain of fallbacks.
        var position: Int
        var queue: Int64
        var route: Int64
        var requestBytes: Int
        var maxTokens: Int
        var bound: CostBound
        var tags: [String]
        var isHalfPrice: Bool
        /// The serving process whose own line it stands in.
        var owner: Int64?
        /// Whether its batch is still taken in, or about to be cancelled.
        var isSealed: Bool
        /// Whether it is held for a prefix, not for the whole prompt.
        var sharesPrefix: Bool
    }

    mutating func waiting(of job: Int64) throws -> WaitingFor? {
        guard let standing = try standing(of: job), var waiting = try gate(before: standing) else {
            return nil
        }
        if standing.heldUntil != nil {
            waiting.estimatedAt = waiting.until
        } else if let route = try route(standing.route), waiting.mayPass {
            let turn = try forecast.turn(of: standing.place, queue: standing.queue, route: route)
            waiting.estimatedAt = turn.map { max(waiting.until ?? now.timestamp, now.timestamp) + $0 }
        }
        return waiting
    }

    /// The jobs of a lane as a total: what its first one waits for, and when its last one is expected to run.
    mutating func total(of lane: WorkCheck.ReadyLane, head: Int64, jobs: Int) throws -> WaitingTotal? {
        guard let standing = try standing(of: head), var waiting = try gate(before: standing) else {
            return nil
        }
        if waiting.mayPass, let route = try route(lane.route) {
            let time = try forecast.time(for: Double(jobs), queue: lane.queue, route: route)
            waiting.estimatedAt = time.map { max(waiting.until ?? now.timestamp, now.timestamp) + $0 }
        }
        return WaitingTotal(waiting: waiting, jobs: jobs)
    }

    /// What holds back the route of a lane, whose first job this is.
    mutating func bottleneck(of lane: WorkCheck.ReadyLane, head: Int64) throws -> Bottleneck? {
        guard let standing = try standing(of: head), let route = try route(lane.route),
            let queue = try QueueRow.load(lane.queue, connection), !queue.paused
        else { return nil }
        // What no slot opens: more calls at once spend no more than there is, and send no batch sooner.
        if let waiting = try gate(before: standing),
            ![.worker, .rateLimit, .concurrency].contains(waiting.reason)
        {
            let detail =
                waiting.reason == .batch ? "jobs wait for the next batch of their provider" : waiting.detail
            return Bottleneck(detail: detail, moreWorkersHelp: false)
        }
        if try attendance(of: route.key.service) == .others {
            return Bottleneck(detail: route.key.orphanWords, moreWorkersHelp: false)
        }
        let backlog = try forecast.backlog(of: lane)
        if let limit = queue.concurrency, backlog.exceeds(cap: limit, running: queue.running) {
            return Bottleneck(
                detail: "jobs of queue \(queue.name) in flight, \(queue.running) of \(limit)",
                moreWorkersHelp: false)
        }
        let need = route.ledger.need(requestBytes: standing.requestBytes, maxTokens: standing.maxTokens)
        return route.ledger.bottleneck(
            head: need, queue: queue.line(on: route.id), backlog: backlog, now: now.moment)
    }

    private mutating func gate(before standing: Standing) throws -> WaitingFor? {
        if standing.isSealed {
            return WaitingFor(
                reason: .pause, detail: "its batch is not wholly uploaded yet, or is being cancelled")
        }
        guard let queue = try QueueRow.load(standing.queue, connection) else { return nil }
        if let until = standing.heldUntil { return try held(standing, until: until, queue: queue) }
        if queue.paused {
            return WaitingFor(reason: .pause, detail: "queue \(queue.name) is paused")
        }
        if standing.isHalfPrice { return try company(standing, queue: queue) }
        if let limit = queue.concurrency, queue.running >= limit {
            return WaitingFor(
                reason: .concurrency, detail: "\(queue.running) of \(limit) jobs of \(queue.name) run")
        }
        return try waiting(standing, queue: queue)
    }

    /// What a job waits for that goes out with the next of the provider's own batches.
    private mutating func company(_ standing: Standing, queue: QueueRow) throws -> WaitingFor? {
        guard let route = try route(standing.route) else { return nil }
        if try attendance(of: route.key.service) == .others {
            return WaitingFor(reason: .worker, detail: route.key.orphanWords)
        }
        if try forecast.slots() == 0 { return WaitingFor(reason: .worker, detail: Self.nobodyWorks) }
        if route.ledger.isPaused { return WaitingFor(reason: .pause, detail: "the route is paused") }
        let book = try book ?? BudgetBook.load(connection, now: now.timestamp, prices: settings.prices)
        self.book = book
        var call = BudgetBook.Call(
            bound: standing.bound, maxTokens: standing.maxTokens, route: route.key, queue: queue.name,
            tags: standing.tags)
        call.isHalfPrice = true
        if let waiting = book.waiting(of: call) { return waiting }
        return WaitingFor(
            reason: .batch, detail: "it goes out with the next batch of its provider, at half the price")
    }

    /// What a running job waits for that is out with one of the provider's batches; nil where it is not.
    func batched(_ job: Int64, attempt: Int) throws -> WaitingFor? {
        try connection.queryOne(
            """
            SELECT provider_batch.provider_id, provider_batch.requests, provider_batch.recall_at, provider_batch.error
            FROM attempt
            JOIN provider_batch ON provider_batch.id = attempt.provider_batch_id
            WHERE attempt.job_id = ?1 AND attempt.number = ?2
            """, [.integer(job), .integer(attempt)]
        ) { row in
            let error = row.textOrNil(3).map { "; the last look failed: \($0)" } ?? ""
            let name = row.textOrNil(0).map { "batch \($0)" } ?? "a batch that is about to be sent"
            return WaitingFor(
                reason: .batch,
                detail: "it is out with \(name) of its provider, \(row.int(1)) requests" + error,
                until: row.int64OrNil(2).map { Timestamp(milliseconds: $0) })
        }
    }

    private mutating func held(_ standing: Standing, until: Timestamp, queue: QueueRow) throws -> WaitingFor {
        if standing.isHeldUnderHash {
            return WaitingFor(
                reason: .identicalPrompt,
                detail: standing.sharesPrefix
                    ? "a call that writes the provider's prompt cache for it is in flight"
                    : "a call for the same prompt is in flight")
        }
        if let waiting = try heldByFallback(standing, until: until, queue: queue) { return waiting }
        if standing.failures > 0 {
            return WaitingFor(
                reason: .retry, detail: "after \(standing.failures) failed attempts", until: until)
        }
        return WaitingFor(reason: .schedule, detail: "not due yet", until: until)
    }

    /// What a job that left its own route waits for there: a claim that found it closed lays it aside for moments, lest
    /// it stand in the way of its lane.
    ///
    /// Nil where a time or a failure holds it.
    private mutating func heldByFallback(
        _ standing: Standing, until: Timestamp, queue: QueueRow
    ) throws -> WaitingFor? {
        guard standing.position > 0, until != standing.runAt,
            until - now.timestamp <= ClaimPlanner.lentPause.upperBound,
            var waiting = try waiting(standing, queue: queue)
        else { return nil }
        if waiting.reason == .worker, standing.failures > 0 { return nil }
        waiting.until = waiting.reason == .worker ? until : waiting.until.map { max($0, until) }
        return waiting
    }

    private static let nobodyWorks = "no worker is running: start one with `renga work`"

    private mutating func waiting(_ standing: Standing, queue: QueueRow) throws -> WaitingFor? {
        guard let home = try route(standing.route) else { return nil }
        let key = settings.fallbacks.route(at: standing.position, of: home.key)
        // A route that nobody has used yet has no gates.
        guard let route = key == home.key ? home : try route(key) else {
            return WaitingFor(
                reason: .worker, detail: "the next free slot of a worker that serves \(key.name)")
        }
        let attendance = try attendance(of: route.key.service)
        if attendance == .others { return WaitingFor(reason: .worker, detail: route.key.orphanWords) }
        let book = try book ?? BudgetBook.load(connection, now: now.timestamp, prices: settings.prices)
        self.book = book
        let call = BudgetBook.Call(
            bound: standing.bound,
            maxTokens: settings.moneyTokens(of: standing.maxTokens, isInteractive: standing.owner != nil),
            route: route.key, queue: queue.name, tags: standing.tags)
        if let waiting = book.waiting(of: call) { return waiting }
        if let refused = try CredentialRow.closure(
            of: route.key.service, owner: standing.owner, now, connection)
        {
            return refused
        }
        let queue = standing.owner == nil ? queue : queue.withoutStreaks
        if let streak = queue.streaks[route.id], streak.isHeld {
            return WaitingFor(
                reason: .pause, detail: streak.words(queue: queue.name, route: route.key),
                until: streak.wait(at: now.moment).map { now.timestamp + $0 })
        }
        let need = route.ledger.need(requestBytes: standing.requestBytes, maxTokens: standing.maxTokens)
        switch route.ledger.admission(of: need, in: queue.line(on: route.id), now: now.moment) {
        case .refused(let gate, let detail, let after):
            return WaitingFor(
                reason: gate, detail: detail,
                until: route.ledger.gate.opening(after: after, now: now.timestamp)
            )
        case .admitted where !route.ledger.gate.opensByItself:
            // One call may try; the others wait for what becomes of it.
            let gate = route.ledger.gate
            return WaitingFor(
                reason: gate.waitReason, detail: gate.words,
                until: gate.opening(after: nil, now: now.timestamp))
        case .admitted where try forecast.slots() == 0:
            return WaitingFor(reason: .worker, detail: Self.nobodyWorks)
        case .admitted:
            return WaitingFor(
                reason: .worker, detail: "the next free slot of a worker that serves \(route.key.name)")
        }
    }

    private mutating func route(_ id: Int64) throws -> RouteRow? {
        if let known = routes[id] { return known }
        guard var route = try RouteRow.load(id, connection) else { return nil }
        route.ledger.advance(to: now.moment)
        routes[id] = route
        return route
    }

    private mutating func route(_ key: RouteKey) throws -> RouteRow? {
        if let known = routes.values.first(where: { $0.key == key }) { return known }
        guard let found = try RouteRow.find(key, connection) else { return nil }
        return try route(found.id)
    }

    private mutating func attendance(of service: ServiceKey) throws -> ServiceCoverage {
        if let known = attendances[service] { return known }
        let found = try ServiceCoverage.of(service, now: now.moment, connection)
        attendances[service] = found
        return found
    }

    private func standing(of job: Int64) throws -> Standing? {
        try connection.queryOne(
            """
            SELECT job.ready, job.held_until, job.held_hash IS NOT NULL, job.failures, lane.queue_id, lane.route_id,
                job.request_bytes, job.max_tokens, job.lane_id, job.rank,
                job.worst_input_tokens, job.cache_writes, lane.budget, lane.kind, job.run_at, job.fallback,
                job.held_hash IS job.prefix_hash, job.worst_searches, lane.sealed, lane.owner
            FROM job
            JOIN lane ON lane.id = job.lane_id
            WHERE job.id = ?1
            """, [.integer(job)]
        ) { row in
            Standing(
                place: Forecast.Place(lane: row.int64(8), rank: row.int64(9), job: job), ready: row.bool(0),
                heldUntil: row.int64OrNil(1).map { Timestamp(milliseconds: $0) },
                isHeldUnderHash: row.bool(2), runAt: Timestamp(milliseconds: row.int64(14)),
                failures: row.int(3), position: row.int(15), queue: row.int64(4), route: row.int64(5),
                requestBytes: row.int(6), maxTokens: row.int(7),
                bound: CostBound(
                    inputTokens: row.int64OrNil(10),
                    writes: CostBound.CacheWrites(rawValue: row.int(11)) ?? .oneHour,
                    webSearches: row.int64OrNil(17)),
                tags: LaneBudget.tags(of: row.text(12)),
                isHalfPrice: LaneKind(rawValue: row.text(13)) == .halfPrice, owner: row.int64OrNil(19),
                isSealed: row.bool(18),
                sharesPrefix: row.bool(16))
        }
    }
}

extension WaitingFor {
    /// Whether it ends by itself, in a time that can be told from the rate of the bottleneck.
    fileprivate var mayPass: Bool {
        switch reason {
        case .worker, .rateLimit, .concurrency: true
        // Nobody knows when a provider is back, or how far the next window's money reaches.
        case .breaker, .budget, .providerSpendLimit, .schedule, .retry, .pause, .identicalPrompt, .batch:
            false
        }
    }
}
