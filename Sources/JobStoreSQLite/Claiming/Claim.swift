package import Jobs
import SQLite
import StoreRules

extension SQLiteJobStore {
    /// Checks on a read connection first, so an idle claim never takes the write lock.
    package func claim(_ request: ClaimRequest) async throws -> Claim {
        guard request.slots > 0 else { return Claim() }
        if request.looksFirst {
            let (now, settings) = (now(), settings)
            let found = try await read { connection in
                try WorkFinding(connection, request: request, now: now, settings: settings)
            }
            guard found.hasWork else { return Claim(wakeAfter: found.wakeAfter) }
        }
        return try await write { context in try context.claim(request) }
    }
}

extension WriteContext {
    /// Moves what is due, decides, and writes what was decided.
    func claim(_ request: ClaimRequest) throws -> Claim {
        guard try ConfigurationHistory.isInForce(settings.configuration, connection) else { return Claim() }
        try moveDue(limit: ClaimLimits.due)
        try continueReleases()
        released = 0
        let planner = ClaimPlanner(
            try ClaimSnapshot(connection, worker: request.worker, now: now, settings: settings),
            StoredClaim(connection, now: now, interning: self), request: request, settings: settings.rules,
            now: now, random: AnyRandom(random))
        let (decision, random) = try planner.plan()
        self.random = random.source
        try apply(decision.delta)
        try save(decision.rowCache)
        return try claim(of: decision)
    }

    private func claim(of decision: ClaimDecision) throws -> Claim {
        var decision = decision
        if let due = try WorkFinding.soonestHeld(connection) {
            decision.wake(after: max(0, due - now.timestamp.milliseconds))
        }
        let attempts = try decision.calls.compactMap { call in
            try SentRequest.load(call.key.job.value, connection).map {
                try call.claimed($0, at: now.timestamp)
            }
        }
        return Claim(
            attempts: attempts, settledFromCache: decision.settledFromCache, drainFirst: decision.drainFirst,
            more: decision.more || released > 0, wakeAfter: decision.wakeAfter)
    }
}

extension ClaimSnapshot {
    init(_ connection: Connection, worker: WorkerID, now: Now, settings: StoreSettings) throws {
        self.init(
            scheduler: try VirtualTime.load(connection),
            book: try BudgetBook.load(connection, now: now.timestamp, prices: settings.rules.prices),
            refusedKeys: try CredentialState.refused(of: worker, connection),
            lanesChange: try LaneMoves.isPending(connection))
    }
}

extension WorkFinding {
    init(_ connection: Connection, request: ClaimRequest, now: Now, settings: StoreSettings) throws {
        self.init(hasWork: false)
        guard try ConfigurationHistory.isInForce(settings.configuration, connection) else { return }
        let held = try Self.soonestHeld(connection).map { $0 - now.timestamp.milliseconds }
        if try held.map({ $0 <= 0 }) == true || connection.exists("SELECT 1 FROM pending_release LIMIT 1") {
            hasWork = true
            return
        }
        let check = WorkCheck(
            try ClaimSnapshot(connection, worker: request.worker, now: now, settings: settings),
            StoredClaim(connection, now: now, interning: nil), request: request, settings: settings.rules,
            now: now)
        self = try check.finding()
        if let held { wake(after: held) }
    }

    static func soonestHeld(_ connection: Connection) throws -> Int64? {
        try connection.queryOne("SELECT min(held_until) FROM job WHERE held_until IS NOT NULL") { row in
            row.int64OrNil(0)
        } ?? nil
    }
}
