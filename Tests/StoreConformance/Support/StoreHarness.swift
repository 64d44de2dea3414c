import Jobs
import TestSupport
import Testing

/// One store on a database of its own, one registered worker, and a clock turned by hand.
///
/// Afterwards the rows are audited: whatever a test did, the invariants hold.
final class StoreHarness {
    let database: any TestDatabase
    let terms: StoreTerms
    let clock: HandClock
    let store: any WholeStore
    let worker: WorkerID
    var random = SeededRandom(seed: 1)
    /// Whether jobs were pruned: what was counted and spent then lives on without its rows.
    var isPruned = false

    private init(_ database: any TestDatabase, _ terms: StoreTerms) async throws {
        (self.database, self.terms) = (database, terms)
        clock = HandClock()
        store = try await database.open(terms, clock: clock)
        worker = try await store.register(NewWorker(name: "bench", host: "here", processID: 1, slots: 5))
    }

    static func run(
        _ tested: StoreUnderTest, _ terms: StoreTerms = StoreTerms(),
        _ body: (StoreHarness) async throws -> Void
    ) async throws {
        try await tested.withDatabase { database in try await run(on: database, terms, body) }
    }

    /// The same on a database that outlives it.
    static func run(
        on database: any TestDatabase, _ terms: StoreTerms = StoreTerms(),
        _ body: (StoreHarness) async throws -> Void
    ) async throws {
        try await onThread {
            let harness = try await StoreHarness(database, terms)
            do {
                try await body(harness)
                try await harness.audit()
            } catch {
                await harness.store.close()
                throw error
            }
            await harness.store.close()
        }
    }

    func audit() async throws {
        let violations = try await database.violations(isPruned: isPruned)
        #expect(violations.isEmpty)
    }

    /// As a second process on the same machine opens it, by the same terms unless others are given.
    func openAnother(_ terms: StoreTerms? = nil) async throws -> any WholeStore {
        try await database.open(terms ?? self.terms, clock: clock)
    }

    var now: Now { clock.now() }

    // MARK: Jobs

    @discardableResult
    func enqueue(_ jobs: [NewJob]) async throws -> [JobID] {
        let outcomes = try await store.enqueue(jobs, atomically: false)
        return try outcomes.map { try #require($0.id) }
    }

    @discardableResult
    func enqueue(_ texts: String...) async throws -> [JobID] {
        try await enqueue(texts.map { try Sample.job($0) })
    }

    func job(_ id: JobID) async throws -> Job {
        try #require(try await store.job(id))
    }

    func states(_ ids: [JobID]) async throws -> [JobState] {
        let states = try await store.states(of: ids)
        return try ids.map { try #require(states[$0]) }
    }

    func route(_ name: String = Sample.route.name) async throws -> RouteStatus {
        try #require(try await store.routes().first { $0.name == name })
    }

    // MARK: Working

    func fullClaim(
        _ slots: Int = 5, running: Int = 0, as worker: WorkerID? = nil,
        services: [ServiceKey] = [Sample.service], lease: Milliseconds = 30_000
    ) async throws -> Claim {
        try await store.claim(
            ClaimRequest(
                worker: worker ?? self.worker, slots: slots, running: running, lease: lease,
                services: services))
    }

    func claim(_ slots: Int = 5, as worker: WorkerID? = nil, services: [ServiceKey] = [Sample.service])
        async throws -> [ClaimedAttempt]
    {
        try await fullClaim(slots, as: worker, services: services).attempts
    }

    /// The one attempt that a claim must give.
    func claimOne() async throws -> ClaimedAttempt {
        try #require(try await claim(1).first)
    }

    @discardableResult
    func succeed(_ attempt: ClaimedAttempt, _ text: String = "positive", limits: LimitReport? = nil)
        async throws -> SettleOutcome
    {
        var settlement = Sample.success(attempt.key, text)
        settlement.limits = limits
        return try await store.settle(settlement)
    }

    @discardableResult
    func settle(_ key: AttemptKey, _ verdict: Verdict, _ event: RouteEvent = .neutral) async throws
        -> SettleOutcome
    {
        try await store.settle(
            Settlement(
                key: key, verdict: verdict, routeEvent: event,
                unconfirmedCost: verdict == .handedBack(sent: true)))
    }

    /// Settles as a worker would that met this outcome.
    @discardableResult
    func meet(_ outcome: Outcome, _ attempt: ClaimedAttempt) async throws -> SettleOutcome {
        let decision = Decision.decide(
            outcome, failures: attempt.failures, policy: RetryPolicy(), using: &random)
        var settlement = Settlement(
            key: attempt.key, verdict: decision.verdict, routeEvent: decision.routeEvent,
            unconfirmedCost: decision.unconfirmedCost, limits: outcome.limits)
        switch outcome.result {
        case .answer(let answer): settlement.answer = answer
        case .broken(let breakage): settlement.usage = breakage.usage
        case .refusal(let refusal): settlement.usage = refusal.usage
        case .abandoned: break
        }
        return try await store.settle(settlement)
    }

    /// Teaches the route: wide limits, and a first success, so that nothing of it holds claims back.
    func warmUp(_ route: RouteKey = Sample.route) async throws {
        try await store.configure(
            route: route,
            limits: RouteLimits(requests: 1_000_000, inputTokens: 100_000_000, outputTokens: 100_000_000))
        try await enqueue([try Sample.job("warm up", queue: "warm-up", route: route)])
        for attempt in try await claim(1, services: [route.service]) { try await succeed(attempt) }
    }
}
