import Jobs
import SQLite
import StoreRules

/// What a claim, a check for work or the making of a provider batch reads of the database.
struct StoredClaim: ClaimReads {
    let connection: Connection
    let now: Now
    /// Gives numbers to routes that no job had yet; nil while only reading.
    let interning: WriteContext?

    init(_ connection: Connection, now: Now, interning: WriteContext?) {
        self.connection = connection
        self.now = now
        self.interning = interning
    }

    func readyLanes() throws -> [ReadyLane] { try ReadyLane.all(connection) }
    func queue(_ id: Int64) throws -> QueueState? { try QueueState.load(id, connection) }
    func route(_ id: Int64) throws -> RouteState? { try RouteState.load(id, connection) }

    func route(_ key: RouteKey) throws -> RouteState? {
        guard let interning else { return try RouteState.find(key, connection) }
        return try RouteState.load(interning.routeID(key), connection)
    }

    // MARK: Ready jobs

    func heads(of lane: Int64, behind other: Candidate?, limit: Int) throws -> [Candidate] {
        try Candidate.heads(of: lane, behind: other, limit: limit, connection)
    }

    func newest(of lane: Int64, limit: Int) throws -> [Candidate] {
        try Candidate.newest(of: lane, limit: limit, connection)
    }

    func leastFailed(of lane: Int64, limit: Int) throws -> [Candidate] {
        try Candidate.leastFailed(of: lane, limit: limit, connection)
    }

    func lanesOfLoners() throws -> [Int64] { try Candidate.lanesOfLoners(connection) }

    func loners(of lane: Int64, limit: Int) throws -> [Candidate] {
        try Candidate.loners(of: lane, limit: limit, connection)
    }

    // MARK: Prompts

    func cachedAnswer(_ hash: [UInt8], route: Int64) throws -> CachedAnswer? {
        try CachedAnswer.find(hash, route: route, now: now.timestamp, connection)
    }

    func isInFlight(_ hash: [UInt8], route: Int64, withBatches: Bool) throws -> Bool {
        try connection.queryOne(
            """
            SELECT 1
            FROM attempt
            WHERE status = 'open' AND prompt_hash = ?1 AND home_route_id = ?2 AND (?3 OR provider_batch_id IS NULL)
            LIMIT 1
            """, [.blob(hash), .integer(route), .bool(withBatches)], { row in row.int(0) }) != nil
    }

    func prefix(_ prefix: CachePrefix, route: Int64) throws -> WrittenPrefix? {
        try PromptCache.find(prefix, route: route, connection)
    }

    // MARK: One job

    private static let spentOnJob = SQL(
        "SELECT coalesce(\(moneySum("cost")) + \(moneySum("unconfirmed_cost")), 0) FROM attempt WHERE job_id = ?1"
    )

    func spent(on job: Int64) throws -> Money {
        let sum = try connection.queryOne(Self.spentOnJob, [.integer(job)], { row in row.int64(0) })
        return Money(nanodollars: sum ?? 0)
    }

    func tags(of job: Int64) throws -> [String] {
        try connection.query(
            "SELECT tag FROM job_tag WHERE job_id = ?1", [.integer(job)], { row in row.text(0) })
    }

    func sentRequest(of job: Int64) throws -> SentRequest? { try SentRequest.load(job, connection) }

    func body(of answer: Int64) throws -> [UInt8]? {
        try connection.queryOne(
            "SELECT body FROM answer WHERE id = ?1", [.integer(answer)], { row in row.blob(0) })
    }

    func standing(of job: Int64) throws -> LaneStanding? { try Lanes.standing(of: job, connection) }
    func laneBudget() throws -> LaneBudget { try LaneBudget.load(connection) }

    func anotherDrains(than worker: WorkerID) throws -> Bool {
        try connection.queryOne(
            """
            SELECT 1
            FROM worker
            WHERE emptying > ?1 AND id <> ?2 AND stopped = 0 AND seen_boot = ?3
            LIMIT 1
            """,
            [.integer(now.moment.milliseconds), .integer(worker.value), .integer(now.moment.epoch)],
            { row in row.int(0) }) != nil
    }
}

extension ReadyLane {
    /// Hops from lane to lane in the index: its cost grows with lanes, not jobs.
    static func all(_ connection: Connection) throws -> [ReadyLane] {
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
}
