package import Jobs
import Postgres
import StoreRules
import Synchronization

extension PostgresJobStore {
    /// Looks first, without any lock: an idle claim takes none.
    ///
    /// Beside a newer schema nothing is claimed; a worker's other duties tell when it may be again.
    package func claim(_ request: ClaimRequest) async throws -> Claim {
        guard request.slots > 0, schema.mayWork else { return Claim() }
        if request.looksFirst {
            let (now, settings) = (now(), settings)
            let found = try await read { access in
                try WorkFinding(access, request: request, now: now, settings: settings)
            }
            guard found.hasWork else { return Claim(wakeAfter: found.wakeAfter) }
        }
        return try await write(.claim, needing: .finishes) { context in
            context.permit.mayWork
                ? try context.claim(request) : PendingClaim(nil, now: context.now.timestamp, more: false)
        }.claim()
    }
}

extension WriteContext {
    /// Moves what is due, decides, and writes what was decided.
    func claim(_ request: ClaimRequest) throws -> PendingClaim {
        try moveDue(limit: ClaimLimits.due)
        try continueReleases()
        let start = try ClaimStart(access, worker: request.worker, now: now, settings: settings)
        guard start.isInForce else { return PendingClaim(nil, now: now.timestamp, more: false) }
        released = 0
        let reads = StoredClaim(access, now: now, context: self)
        try reads.load(start.lanes, headsOfLane: request.slots)
        let planner = ClaimPlanner(
            start.snapshot, reads, request: request, settings: settings.rules, now: now,
            random: AnyRandom(random))
        let (decision, random) = try planner.plan()
        self.random = random.source
        try apply(decision.delta)
        save(decision.rowCache)
        try writeRows()
        let claim = PendingClaim(decision, now: now.timestamp, more: released > 0)
        claim.ask(access)
        return claim
    }
}

/// A claim whose requests come with the answer to its commit.
final class PendingClaim: Sendable {
    private struct Answers {
        var soonestHeld: Int64?
        var requests: [Int64: SentRequest] = [:]
    }

    /// Nil if this process may not claim.
    private let decision: ClaimDecision?
    private let now: Timestamp
    private let more: Bool
    private let answers = Mutex(Answers())

    init(_ decision: ClaimDecision?, now: Timestamp, more: Bool) {
        self.decision = decision
        self.now = now
        self.more = more
    }

    var keys: [AttemptKey] { decision?.calls.map(\.key) ?? [] }

    func ask(_ access: Access) {
        access.queueQuestion(Call(.soonestHeld)) { [self] rows in
            let soonest = try rows.first?.int64OrNil(0)
            answers.withLock { $0.soonestHeld = soonest }
        }
        guard !keys.isEmpty else { return }
        access.queueQuestion(SentRequest.call(keys.map(\.job.value))) { [self] rows in
            let requests = try SentRequest.read(rows)
            answers.withLock { $0.requests = requests }
        }
    }

    func claim() throws -> Claim {
        let found = answers.withLock { $0 }
        guard var decision else { return Claim() }
        if let due = found.soonestHeld { decision.wake(after: max(0, due - now.milliseconds)) }
        let attempts = try decision.calls.compactMap { call in
            try found.requests[call.key.job.value].map { try call.claimed($0, at: now) }
        }
        return Claim(
            attempts: attempts, settledFromCache: decision.settledFromCache, drainFirst: decision.drainFirst,
            more: decision.more || more, wakeAfter: decision.wakeAfter)
    }
}

/// What a claim begins with, and what is to be known before one, in one round trip.
struct ClaimStart {
    let snapshot: ClaimSnapshot
    let lanes: [ReadyLane]
    /// Whether this process may claim: no other configuration than its own counts.
    let isInForce: Bool
    /// Nil if no job is held.
    let soonestHeld: Int64?
    let hasPendingReleases: Bool
    /// Whether settlements have said something that no claim has heard yet.
    let hasClosings: Bool

    init(_ access: Access, worker: WorkerID, now: Now, settings: StoreSettings) throws {
        let answers = try access.query([
            VirtualTime.call, BudgetBook.call(at: now.timestamp), CredentialState.refused(of: worker),
            LaneMoves.pending, ReadyLane.call, ConfigurationHistory.call(for: settings.configuration),
            Call(.soonestHeld), Call(.anyPendingRelease), SharedClosings.any,
        ])
        snapshot = ClaimSnapshot(
            scheduler: try VirtualTime.read(answers[0]),
            book: try BudgetBook.read(answers[1], now: now.timestamp, prices: settings.rules.prices),
            refusedKeys: try CredentialState.read(answers[2]), lanesChange: answers[3].count > 0)
        lanes = try ReadyLane.read(answers[4])
        isInForce = try answers[5].first?.bool(0) == false
        soonestHeld = try answers[6].first?.int64OrNil(0)
        hasPendingReleases = answers[7].count > 0
        hasClosings = answers[8].count > 0
    }
}

extension WorkFinding {
    init(_ access: Access, request: ClaimRequest, now: Now, settings: StoreSettings) throws {
        self.init(hasWork: false)
        let start = try ClaimStart(access, worker: request.worker, now: now, settings: settings)
        guard start.isInForce else { return }
        let held = start.soonestHeld.map { $0 - now.timestamp.milliseconds }
        if held.map({ $0 <= 0 }) == true || start.hasPendingReleases || start.hasClosings {
            hasWork = true
            return
        }
        let reads = StoredClaim(access, now: now, context: nil)
        try reads.load(start.lanes, headsOfLane: 1)
        self = try WorkCheck(
            start.snapshot, reads, request: request, settings: settings.rules, now: now
        ).finding()
        if let held { wake(after: held) }
    }
}

extension Statement {
    fileprivate static let soonestHeld = Statement(
        "soonest-held", "SELECT min(held_until) FROM waiting WHERE held_until IS NOT NULL")
    fileprivate static let anyPendingRelease = Statement(
        "any-pending-release", "SELECT route_id FROM pending_release LIMIT 1")
}
