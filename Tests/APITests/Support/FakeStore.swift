import Jobs
import Synchronization

@testable import API

/// As much of a store as handlers need, in memory, with failures on demand.
final class FakeStore: APIStore {
    let clock: any Jobs.Clock

    init(clock: any Jobs.Clock = TestClock()) { self.clock = clock }

    func now() -> Now { clock.now() }

    struct State {
        var jobs: [JobID: Job] = [:]
        var made: [JobID: NewJob] = [:]
        var keys: [String: JobID] = [:]
        var batches: [BatchID: Batch] = [:]
        var queues: [String: QueueStatus] = [:]
        var routes: [String: RouteStatus] = [:]
        var finished: [JobID] = []
        var lastID: Int64 = 1_700_000_000_000 << 20
        var failure: JobStoreError?
        /// Calls of `results` that succeed before the next one fails.
        var resultsBeforeFailure = Int.max
        var portions: [Int] = []
        var stateReads = 0
        var readyQuestions = 0
        /// Where set, a read replica answers lists, results and statistics.
        var asOf: Timestamp?
        var cautions: [String] = []
        var replica: ReplicaFacts?
        /// Where set, the store does not say whether it is ready until this ends.
        var standstill: (stream: AsyncStream<Void>, end: AsyncStream<Void>.Continuation)?
        var listeners: [AsyncStream<Void>.Continuation] = []
    }

    let state = Mutex(State())

    func change<T: Sendable>(_ body: (inout sending State) throws -> sending T) rethrows -> T {
        let result = try state.withLock { try body(&$0) }
        for listener in state.withLock({ $0.listeners }) { listener.yield() }
        return result
    }

    /// Ends a job as a worker would.
    func finish(_ id: JobID, as ending: JobState = .succeeded, text: String = "positive") {
        change { state in
            state.jobs[id]?.state = ending
            state.jobs[id]?.finishedAt = Timestamp(milliseconds: 1_700_000_001_000)
            state.jobs[id]?.waitingFor = nil
            state.finished.append(id)
            guard ending == .succeeded else {
                state.jobs[id]?.error = JobError(type: "api_error", message: "no", retryable: true)
                return
            }
            state.jobs[id]?.response = Array(#"{"content":[{"type":"text","text":"\#(text)"}]}"#.utf8)
            state.jobs[id]?.cost = Money(nanodollars: 41_000)
            state.jobs[id]?.usage = Usage(inputTokens: 21, outputTokens: 4)
        }
    }

    func look<T: Sendable>(_ body: (inout sending State) throws -> sending T) rethrows -> T {
        try state.withLock { try body(&$0) }
    }

    var readyQuestions: Int { state.withLock { $0.readyQuestions } }

    func holdReady() {
        let (stream, end) = AsyncStream<Void>.makeStream()
        state.withLock { $0.standstill = (stream, end) }
    }

    func releaseReady() {
        state.withLock { $0.standstill }?.end.finish()
    }

    func fail(_ failure: JobStoreError?) { change { $0.failure = failure } }

    private func check() throws {
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }
}

extension FakeStore {
    func enqueue(_ jobs: [NewJob], atomically: Bool) async throws -> [EnqueueOutcome] {
        try check()
        return change { state in
            state.portions.append(jobs.count)
            let before = state
            let outcomes = jobs.map { state.take($0) }
            if atomically, outcomes.contains(where: { $0.id == nil }) { state = before }
            return outcomes
        }
    }

    func preview(_ jobs: [NewJob]) async throws -> [EnqueuePreview] {
        try check()
        return state.withLock { state in
            jobs.map { job in
                guard let key = job.customID, let id = state.keys[job.queue + "\0" + key] else {
                    return .new(CallEstimate(requestBytes: job.request.count, maxTokens: job.maxTokens))
                }
                return state.made[id]?.fingerprint == job.fingerprint ? .existing(id) : .conflict(id)
            }
        }
    }

    func createBatch(name: String, metadata: [UInt8]?) async throws -> Batch {
        try check()
        return change { state in
            if let batch = state.batches.values.first(where: { $0.name == name }) { return batch }
            let batch = Batch(
                id: BatchID(state.nextID()), name: name, metadata: metadata, createdAt: now().timestamp,
                counts: StateCounts(), cost: .zero, saved: .zero)
            state.batches[batch.id] = batch
            return batch
        }
    }

    func cancel(_ id: JobID) async throws -> ChangeOutcome {
        change { $0.move(id, from: [.queued, .running, .review], to: .cancelled) }
    }

    func cancel(_ filter: JobFilter, after: JobID?, limit: Int) async throws -> MassChange {
        change { $0.move(filter, after, limit, from: [.queued, .running, .review], to: .cancelled) }
    }

    func retry(_ id: JobID, change mend: RetryChange) async throws -> ChangeOutcome {
        change { state in
            let outcome = state.move(id, from: [.failed, .cancelled], to: .queued)
            if outcome == .changed, let route = mend.route { state.jobs[id]?.model = route.model }
            return outcome
        }
    }

    func retry(
        _ filter: JobFilter, change mend: RetryChange, after: JobID?, limit: Int
    ) async throws -> MassChange {
        change { $0.move(filter, after, limit, from: [.failed, .cancelled], to: .queued) }
    }

    func review(_ id: JobID, _ action: ReviewAction, note: String?) async throws -> ChangeOutcome {
        change { $0.move(id, from: [.review], to: action == .reject ? .failed : .succeeded) }
    }

    func count(_ filter: JobFilter) async throws -> Int {
        state.withLock { state in state.jobs.values.count { state.matches($0, filter) } }
    }
}

extension FakeStore {
    func job(_ id: JobID) async throws -> Job? {
        try check()
        return state.withLock { $0.jobs[id] }
    }

    func jobs(_ filter: JobFilter, before: JobID?, limit: Int, bodies: Bodies) async throws -> [Job] {
        state.withLock { state in
            let jobs = state.jobs.values.filter { job in
                state.matches(job, filter) && before.map { job.id < $0 } ?? true
            }
            return Array(jobs.sorted { $0.id > $1.id }.prefix(limit))
        }
    }

    func attempts(of id: JobID) async throws -> [Attempt]? {
        guard state.withLock({ $0.jobs[id] != nil }) else { return nil }
        return [
            Attempt(
                number: 1, status: .settled, worker: "w1", route: "anthropic/m",
                openedAt: Timestamp(milliseconds: 0),
                closedAt: nil, verdict: "succeeded", counted: true, error: nil, requestID: nil, usage: nil,
                cost: .zero,
                unconfirmedCost: .zero)
        ]
    }

    func states(of ids: [JobID]) async throws -> [JobID: JobState] {
        state.withLock { state in
            state.stateReads += 1
            return ids.reduce(into: [:]) { states, id in states[id] = state.jobs[id]?.state }
        }
    }

    func results(_ query: ResultsQuery, after: Int64, limit: Int) async throws -> [FinishedJob] {
        try state.withLock { state in
            state.resultsBeforeFailure -= 1
            guard state.resultsBeforeFailure >= 0 else { throw JobStoreError(.unavailable, "gone") }
            let start = Int(max(after, 0))
            return state.finished.enumerated().dropFirst(start).prefix(limit).compactMap { index, id in
                state.jobs[id].map { FinishedJob(cursor: Int64(index + 1), job: $0) }
            }
        }
    }

    func batch(_ id: BatchID) async throws -> Batch? { state.withLock { $0.batches[id] } }

    func batch(named name: String) async throws -> Batch? {
        state.withLock { $0.batches.values.first { $0.name == name } }
    }

    func batches(before: BatchID?, limit: Int) async throws -> [Batch] {
        state.withLock { state in
            let batches = state.batches.values.filter { batch in before.map { batch.id < $0 } ?? true }
            return Array(batches.sorted { $0.id > $1.id }.prefix(limit))
        }
    }

    func update(queue name: String, _ patch: QueuePatch) async throws -> QueueStatus {
        change { state in
            var queue =
                state.queues[name]
                ?? QueueStatus(
                    name: name, paused: false, concurrency: nil, weight: 1,
                    counts: StateCounts())
            if let paused = patch.paused { queue.paused = paused }
            if let concurrency = patch.concurrency { queue.concurrency = concurrency }
            if let weight = patch.weight { queue.weight = weight }
            state.queues[name] = queue
            return queue
        }
    }

    func queue(_ name: String) async throws -> QueueStatus? { state.withLock { $0.queues[name] } }

    func queues() async throws -> [QueueStatus] {
        state.withLock { state in state.queues.values.sorted { $0.name < $1.name } }
    }

    func update(route name: String, paused: Bool) async throws -> RouteStatus? {
        change { state in
            state.routes[name]?.paused = paused
            return state.routes[name]
        }
    }

    func routes() async throws -> [RouteStatus] { state.withLock { Array($0.routes.values) } }

    func lists<T: Sendable>(
        _ body: @Sendable (any ListReading) async throws -> T
    ) async throws -> Dated<T> {
        Dated(try await body(self), asOf: state.withLock { $0.asOf })
    }

    func stats() async throws -> Stats {
        try check()
        return state.withLock { state in
            var counts = StateCounts()
            for job in state.jobs.values { counts[job.state] += 1 }
            return Stats(
                counts: counts, queues: [], routes: [], workers: [], spend: [], answers: 0, oldestReady: nil)
        }
    }

    func checkReady() async throws -> StoreFacts {
        let standstill = state.withLock { state in
            state.readyQuestions += 1
            return state.standstill?.stream
        }
        if let standstill { for await _ in standstill {} }
        try check()
        var facts = StoreFacts(
            engine: "fake", version: "1", schemaVersion: 1, exposure: nil, databaseBytes: 1)
        (facts.cautions, facts.replica) = state.withLock { ($0.cautions, $0.replica) }
        return facts
    }

    var standstill: String { "it is told to" }

    func changes() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        state.withLock { $0.listeners.append(continuation) }
        return stream
    }
}

extension FakeStore {
    func cancelIfQueued(_ id: JobID) async throws -> ChangeOutcome { .unknown }
    func configure(route: RouteKey, limits: RouteLimits) async throws {}
    func configure(route: RouteKey, concurrency: Int?) async throws {}
    func set(_ budget: Budget) async throws -> BudgetStatus {
        BudgetStatus(ledger: BudgetLedger(budget: budget), startsAt: now().timestamp, endsAt: nil)
    }
    func remove(budget name: String) async throws -> Bool { false }
    func clearUnconfirmed(budget name: String) async throws -> BudgetStatus? { nil }
    func budgets() async throws -> [BudgetStatus] { [] }
    func spend(by axis: SpendAxis, days: Int) async throws -> [SpendShare] { [] }
    func events(before: Int64?, limit: Int) async throws -> [StoredEvent] { [] }
    func close() async {}
}

extension FakeStore.State {
    mutating func nextID() -> Int64 {
        lastID += 1
        return lastID
    }

    mutating func take(_ job: NewJob) -> EnqueueOutcome {
        let named = job.customID.map { job.queue + "\0" + $0 }
        let repeated = job.idempotency.map { "\0\($0.key)\0\($0.ordinal)" }
        if let repeated, let id = keys[repeated] {
            return made[id]?.fingerprint == job.fingerprint ? .existing(id) : .idempotencyMismatch(id)
        }
        if let named, let id = keys[named] {
            return made[id]?.fingerprint == job.fingerprint ? .existing(id) : .customIDTaken(by: id)
        }
        let id = JobID(nextID())
        for key in [named, repeated] { if let key { keys[key] = id } }
        made[id] = job
        jobs[id] = Job(job, id: id)
        jobs[id]?.request = job.request
        return .created(id)
    }

    func matches(_ job: Job, _ filter: JobFilter) -> Bool {
        (filter.state.map { job.state == $0 } ?? true) && (filter.queue.map { job.queue == $0 } ?? true)
            && (filter.tag.map { job.tags.contains($0) } ?? true)
            && (filter.customID.map { job.customID == $0 } ?? true)
            && (filter.batch.map { job.batch == $0 } ?? true)
    }

    mutating func move(_ id: JobID, from: [JobState], to state: JobState) -> ChangeOutcome {
        guard let job = jobs[id] else { return .unknown }
        guard from.contains(job.state) else { return .refused(job.state) }
        jobs[id]?.state = state
        return .changed
    }

    mutating func move(
        _ filter: JobFilter, _ after: JobID?, _ limit: Int, from: [JobState], to state: JobState
    ) -> MassChange {
        let found = jobs.values
            .filter { matches($0, filter) && from.contains($0.state) && after.map($0.id.isBehind) ?? true }
            .map(\.id).sorted().prefix(limit)
        for id in found { jobs[id]?.state = state }
        return MassChange(count: found.count, last: found.last)
    }
}

extension JobID {
    fileprivate func isBehind(_ other: JobID) -> Bool { other < self }
}
