import Jobs
import SQLite
import StoreRules

/// What the explanations of waiting jobs and the forecasts read of the database.
struct StoredWaits: WaitReads {
    let connection: Connection
    let now: Now
    private let prices: PriceTable

    init(_ connection: Connection, now: Now, prices: PriceTable) {
        self.connection = connection
        self.now = now
        self.prices = prices
    }

    func queue(_ id: Int64) throws -> QueueState? { try QueueState.load(id, connection) }
    func route(_ id: Int64) throws -> RouteState? { try RouteState.load(id, connection) }
    func route(_ key: RouteKey) throws -> RouteState? { try RouteState.find(key, connection) }

    func budgetBook() throws -> BudgetBook {
        try BudgetBook.load(connection, now: now.timestamp, prices: prices)
    }

    func waitingJob(_ id: Int64) throws -> WaitingJob? { try WaitingJob.load(id, connection) }

    func providerBatch(of attempt: AttemptKey) throws -> ProviderBatchStanding? {
        try connection.queryOne(
            """
            SELECT provider_batch.provider_id, provider_batch.requests, provider_batch.recall_at, provider_batch.error
            FROM attempt
            JOIN provider_batch ON provider_batch.id = attempt.provider_batch_id
            WHERE attempt.job_id = ?1 AND attempt.number = ?2
            """, [.integer(attempt.job.value), .integer(attempt.number)]
        ) { row in
            ProviderBatchStanding(
                name: row.textOrNil(0), requests: row.int(1),
                recallAt: row.int64OrNil(2).map { Timestamp(milliseconds: $0) }, error: row.textOrNil(3))
        }
    }
}

extension WaitingTotals {
    init(_ connection: Connection, now: Now, settings: StoreSettings) throws {
        try self.init(
            StoredWaits(connection, now: now, prices: settings.rules.prices), now: now,
            settings: settings.rules)
    }
}

// MARK: - Workers

extension StoredWaits {
    func slots() throws -> Int {
        try connection.queryOne(
            """
            SELECT coalesce(sum(slots), 0)
            FROM worker
            WHERE stopped = 0 AND is_interactive = 0 AND seen_boot = ?1 AND seen_moment > ?2
            """, WorkerLiveness.values(now.moment), { row in row.int(0) }) ?? 0
    }

    func busySlots() throws -> Int {
        try connection.queryOne(
            """
            SELECT count(*)
            FROM worker
            JOIN attempt ON attempt.worker_id = worker.id AND attempt.status = 'open'
            WHERE worker.stopped = 0 AND worker.is_interactive = 0
            """, [], { row in row.int(0) }) ?? 0
    }

    func callers(of service: ServiceKey) throws -> [ServiceCaller] {
        try WorkerServices.callers(of: service, now: now.moment, connection)
    }

    func keyHolders(of service: ServiceKey, owner: Int64?) throws -> [KeyHolder] {
        try KeyHolder.all(of: service, owner: owner, now: now.moment, connection)
    }
}
