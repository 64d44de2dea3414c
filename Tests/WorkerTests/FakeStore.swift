import Jobs

/// The few verbs of a store that a worker uses, in memory; every other verb throws.
final class FakeStore: JobStore {
    struct State: Sendable {
        var ready: [ClaimedAttempt] = []
        var claims: [ClaimRequest] = []
        var settled: [Settlement] = []
        var renewals: [[AttemptKey]] = []
        var lost: Set<AttemptKey> = []
        var revoked: Set<AttemptKey> = []
        var reapings = 0
        var registered = 0
        var unregistered = 0
        var settleAttempts = 0
        var wakeAfter: Milliseconds?
        /// Errors that the next calls of a verb throw, one each.
        var claimErrors: [JobStoreError] = []
        var settleErrors: [JobStoreError] = []
        var registerErrors: [JobStoreError] = []
        var renewalsFail = false
    }

    let state = Observed(State())
    private let changed: (stream: AsyncStream<Void>, continuation: AsyncStream<Void>.Continuation)

    init() {
        changed = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func add(_ attempts: [ClaimedAttempt]) {
        state.change { $0.ready += attempts }
        touch()
    }

    func touch() { changed.continuation.yield() }

    func register(_ worker: NewWorker, now: Now) async throws -> WorkerID {
        try state.change { state in
            if !state.registerErrors.isEmpty { throw state.registerErrors.removeFirst() }
            state.registered += 1
        }
        return WorkerID(1)
    }

    func unregister(_ worker: WorkerID, now: Now) async throws { state.change { $0.unregistered += 1 } }

    func claim(_ request: ClaimRequest, now: Now) async throws -> Claim {
        try state.change { state in
            state.claims.append(request)
            if !state.claimErrors.isEmpty { throw state.claimErrors.removeFirst() }
            guard let first = state.ready.first else { return Claim(wakeAfter: state.wakeAfter) }
            if first.alone && request.running > 0 { return Claim(drainFirst: true) }
            let batch = first.alone ? [first] : Array(state.ready.prefix { !$0.alone }.prefix(request.slots))
            state.ready.removeFirst(batch.count)
            return Claim(attempts: batch, wakeAfter: state.wakeAfter)
        }
    }

    func renew(_ worker: WorkerID, attempts: [AttemptKey], lease: Milliseconds, now: Now) async throws
        -> [AttemptKey]
    {
        try state.change { state in
            state.renewals.append(attempts)
            if state.renewalsFail { throw JobStoreError(.full, "no room") }
            return attempts.filter(state.lost.contains)
        }
    }

    func hear(_ beginning: AnswerBeginning, now: Now) async throws {}

    func revoked(_ worker: WorkerID) async throws -> [AttemptKey] { Array(state.now.revoked) }

    func settle(_ settlement: Settlement, now: Now) async throws -> SettleOutcome {
        try state.change { state in
            state.settleAttempts += 1
            if !state.settleErrors.isEmpty { throw state.settleErrors.removeFirst() }
            state.settled.append(settlement)
        }
        touch()
        return .settled(.succeeded)
    }

    func reap(now: Now) async throws -> Reaping {
        state.change { $0.reapings += 1 }
        return Reaping()
    }

    func prune(finishedBefore: Timestamp, now: Now) async throws -> Pruning { Pruning() }
    func changes() -> AsyncStream<Void> { changed.stream }
    func close() async {}
}

private let unused = JobStoreError(.internal, "a worker does not do this")

extension FakeStore {
    func enqueue(_ jobs: [NewJob], atomically: Bool, now: Now) async throws -> [EnqueueOutcome] {
        throw unused
    }
    func preview(_ jobs: [NewJob], now: Now) async throws -> [EnqueuePreview] { throw unused }
    func createBatch(name: String, metadata: [UInt8]?, now: Now) async throws -> Batch { throw unused }
    func enqueueAndClaim(_ jobs: [NewJob], claiming request: ClaimRequest, now: Now) async throws
        -> EnqueueAndClaimResult
    {
        throw unused
    }
    func cancelIfQueued(_ id: JobID, now: Now) async throws -> ChangeOutcome { throw unused }
    func cancel(_ id: JobID, now: Now) async throws -> ChangeOutcome { throw unused }
    func cancel(_ filter: JobFilter, after: JobID?, limit: Int, now: Now) async throws -> MassChange {
        throw unused
    }
    func retry(_ id: JobID, change: RetryChange, now: Now) async throws -> ChangeOutcome { throw unused }
    func retry(
        _ filter: JobFilter, change: RetryChange, after: JobID?, limit: Int, now: Now
    ) async throws -> MassChange {
        throw unused
    }
    func count(_ filter: JobFilter) async throws -> Int { throw unused }
    func review(_ id: JobID, _ action: ReviewAction, note: String?, now: Now) async throws -> ChangeOutcome {
        throw unused
    }
    func update(queue name: String, _ patch: QueuePatch, now: Now) async throws -> QueueStatus {
        throw unused
    }
    func update(route name: String, paused: Bool, now: Now) async throws -> RouteStatus? { throw unused }
    func configure(route: RouteKey, limits: RouteLimits, now: Now) async throws { throw unused }
    func configure(route: RouteKey, concurrency: Int?, now: Now) async throws { throw unused }
    func configure(budgets: [Budget], now: Now) async throws { throw unused }
    func set(_ budget: Budget, now: Now) async throws -> BudgetStatus { throw unused }
    func remove(budget name: String, now: Now) async throws -> Bool { throw unused }
    func clearUnconfirmed(budget name: String, now: Now) async throws -> BudgetStatus? { throw unused }
    func budgets(now: Now) async throws -> [BudgetStatus] { throw unused }
    func spend(by axis: SpendAxis, days: Int, now: Now) async throws -> [SpendShare] { throw unused }
    func events(before: Int64?, limit: Int) async throws -> [StoredEvent] { throw unused }
    func job(_ id: JobID, now: Now) async throws -> Job? { throw unused }
    func jobs(_ filter: JobFilter, before: JobID?, limit: Int, bodies: Bodies, now: Now) async throws -> [Job]
    {
        throw unused
    }
    func attempts(of id: JobID) async throws -> [Attempt]? { throw unused }
    func states(of ids: [JobID]) async throws -> [JobID: JobState] { throw unused }
    func results(_ query: ResultsQuery, after: Int64, limit: Int) async throws -> [FinishedJob] {
        throw unused
    }
    func batch(_ id: BatchID) async throws -> Batch? { throw unused }
    func batch(named name: String) async throws -> Batch? { throw unused }
    func batches(before: BatchID?, limit: Int) async throws -> [Batch] { throw unused }
    func queue(_ name: String) async throws -> QueueStatus? { throw unused }
    func queues() async throws -> [QueueStatus] { throw unused }
    func routes(now: Now) async throws -> [RouteStatus] { throw unused }
    func stats(now: Now) async throws -> Stats { throw unused }
    func checkReady() async throws -> StoreFacts { throw unused }
    func backup(to path: String) async throws { throw unused }
}
