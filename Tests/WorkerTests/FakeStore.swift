import Jobs

/// What a worker uses of a store, in memory.
final class FakeStore: Working {
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

    let clock = RunningClock()

    init() {
        changed = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func add(_ attempts: [ClaimedAttempt]) {
        state.change { $0.ready += attempts }
        touch()
    }

    func now() -> Now { clock.now() }

    func touch() { changed.continuation.yield() }

    func register(_ worker: NewWorker) async throws -> WorkerID {
        try state.change { state in
            if !state.registerErrors.isEmpty { throw state.registerErrors.removeFirst() }
            state.registered += 1
        }
        return WorkerID(1)
    }

    func unregister(_ worker: WorkerID) async throws { state.change { $0.unregistered += 1 } }

    func claim(_ request: ClaimRequest) async throws -> Claim {
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

    func renew(_ worker: WorkerID, attempts: [AttemptKey], lease: Milliseconds) async throws -> [AttemptKey] {
        try state.change { state in
            state.renewals.append(attempts)
            if state.renewalsFail { throw JobStoreError(.full, "no room") }
            return attempts.filter(state.lost.contains)
        }
    }

    func noteBeginning(_ beginning: AnswerBeginning) async throws {}

    func revoked(_ worker: WorkerID) async throws -> [AttemptKey] { Array(state.now.revoked) }

    func settle(_ settlement: Settlement) async throws -> SettleOutcome {
        try state.change { state in
            state.settleAttempts += 1
            if !state.settleErrors.isEmpty { throw state.settleErrors.removeFirst() }
            state.settled.append(settlement)
        }
        touch()
        return .settled(.succeeded)
    }

    func reap() async throws -> Reaping {
        state.change { $0.reapings += 1 }
        return Reaping()
    }

    func prune(olderThan age: Milliseconds) async throws -> Pruning { Pruning() }
    func changes() -> AsyncStream<Void> { changed.stream }
    func close() async {}
}

extension FakeStore {
    func enqueueAndClaim(_ jobs: [NewJob], claiming request: ClaimRequest) async throws
        -> EnqueueAndClaimResult
    {
        throw JobStoreError(.internal, "no caller waits here")
    }
}
