package import Jobs
import SQLite
import StoreRules

extension SQLiteJobStore {
    package func enqueueAndClaim(_ jobs: [NewJob], claiming request: ClaimRequest) async throws
        -> EnqueueAndClaimResult
    {
        // A call that waits or flies has promised nothing; one that ended here has its answer.
        try await write(
            needsSync: { result in result.states.values.contains { $0.isTerminal || $0 == .review } }
        ) { context in
            guard try ConfigurationHistory.isInForce(context.settings.configuration, context.connection)
            else {
                throw JobStoreError(
                    .superseded,
                    "another configuration is in force than this server has: restart it with the new one")
            }
            let outcomes = try Enqueue(context, into: .interactive(request.worker)).run(jobs)
            for case .existing(let id) in outcomes {
                try InteractiveLanes(context, owner: request.worker).takeOver(id.value)
            }
            let claim = try context.claim(request)
            var states: [JobID: JobState] = [:]
            for attempt in claim.attempts { states[attempt.key.job] = .running }
            for id in outcomes.compactMap(\.id) where states[id] == nil {
                states[id] = try JobRecord.find(id.value, context.connection)?.state
            }
            return EnqueueAndClaimResult(outcomes: outcomes, states: states, claim: claim)
        }
    }
}

/// The lanes of a serving process: its clients wait for their jobs, which no other worker claims while it lives.
struct InteractiveLanes {
    let context: WriteContext
    let owner: WorkerID
    private var connection: Connection { context.connection }

    init(_ context: WriteContext, owner: WorkerID) {
        self.context = context
        self.owner = owner
    }

    /// A lane that is the owner's: its own, one whose owner is gone and that is empty, or a new one.
    func laneID(queue: Int64, route: Int64, budget: String) throws -> Int64 {
        let place: [Value] = [.integer(queue), .integer(route), .text(budget)]
        if let id = try connection.queryOne(
            """
            SELECT id FROM lane
            WHERE queue_id = ?1 AND route_id = ?2 AND budget = ?3 AND owner = ?4
            """, place + [.integer(owner.value)], { row in row.int64(0) })
        {
            return id
        }
        let values = place + [.integer(owner.value)] + WorkerLiveness.values(context.now.moment)
        if let id = try connection.queryOne(Self.inheritance, values, { row in row.int64(0) }) { return id }
        _ = try connection.run(
            """
            INSERT INTO lane (queue_id, route_id, budget, owner, kind, variant)
            VALUES (
                ?1, ?2, ?3, ?4, 'interactive',
                (SELECT 'interactive ' || count(*) FROM lane WHERE queue_id = ?1 AND route_id = ?2 AND budget = ?3)
            )
            """, place + [.integer(owner.value)])
        return connection.lastInsertRowID
    }

    private static let inheritance = SQL(
        """
        UPDATE lane
        SET owner = ?4
        WHERE id = (
            SELECT lane.id
            FROM lane
            WHERE lane.queue_id = ?1 AND lane.route_id = ?2 AND lane.budget = ?3 AND lane.kind = 'interactive'
                AND \(ownerIsGone("?5", "?6"))
                AND NOT EXISTS (
                    SELECT 1
                    FROM lane_tally
                    WHERE lane_tally.lane_id = lane.id AND jobs > 0 AND state IN ('queued', 'running')
                )
                -- Tallies are written at the end of an operation, which may have put a job there.
                AND NOT EXISTS (SELECT 1 FROM job WHERE job.lane_id = lane.id AND job.finish_order IS NULL)
            LIMIT 1
        )
        RETURNING id
        """)

    /// Takes a job into the owner's lane whose client is back.
    func takeOver(_ id: Int64) throws {
        guard var job = try JobRecord.find(id, connection) else { return }
        if try job.isRetriedForItsClient(try lastError(of: id)) {
            var edit = JobEdit(context)
            guard try edit.retry(id, RetryChange()) == .changed,
                let reopened = try JobRecord.find(id, connection)
            else { return }
            job = reopened
        }
        guard try job.canBeTakenOver(by: owner, isGone: isGone) else { return }
        let laneBudget = try LaneBudget.load(connection)
        try context.apply { delta in delta.takeOver(job, by: owner, laneBudget) }
    }

    private func lastError(of job: Int64) throws -> JobError? {
        let error = try connection.queryOne(
            "SELECT error FROM job WHERE id = ?1", [.integer(job)], { row in row.blobOrNil(0) })
        return error.flatMap { $0.flatMap(ErrorText.read) }
    }

    private func isGone(_ owner: Int64) throws -> Bool {
        try connection.queryOne(
            Self.absence, [.integer(owner)] + WorkerLiveness.values(context.now.moment),
            { row in row.bool(0) })
            ?? true
    }
}

// MARK: - Owners that are gone

extension InteractiveLanes {
    /// Whether no process serves an interactive lane any more, by the boot and the moment after which its owner was heard of.
    static func ownerIsGone(_ boot: String, _ since: String, owner: String = "lane.owner") -> String {
        """
        NOT EXISTS (
            SELECT 1
            FROM worker
            WHERE worker.id = \(owner) AND worker.stopped = 0 AND worker.seen_boot = \(boot)
                AND worker.seen_moment > \(since)
        )
        """
    }

    private static let absence = SQL("SELECT \(ownerIsGone("?2", "?3")) FROM (SELECT ?1 AS owner) AS lane")

    /// A common lane for each of those whose owner is gone and that have ready jobs.
    static func orphans(_ connection: Connection, now: Moment) throws -> [Int64] {
        try connection.query(orphaned, WorkerLiveness.values(now)) { row in row.int64(0) }
    }

    private static let orphaned = SQL(
        """
        SELECT lane.id
        FROM lane
        WHERE lane.owner IS NOT NULL AND \(ownerIsGone("?1", "?2"))
            AND EXISTS (SELECT 1 FROM job WHERE job.ready = 1 AND job.lane_id = lane.id)
        """)

    /// Moves ready jobs of lanes whose owner is gone to the common lanes; returns how many.
    static func adopt(_ context: WriteContext, limit: Int) throws -> Int {
        var adopted = 0
        for lane in try orphans(context.connection, now: context.now.moment) where adopted < limit {
            let ids = try context.connection.query(
                "SELECT id FROM job WHERE ready = 1 AND lane_id = ?1 ORDER BY rank, id LIMIT ?2",
                [.integer(lane), .integer(limit - adopted)]
            ) { row in row.int64(0) }
            for id in ids { try Lanes.move(id, context) { $0.leaveInteractiveLane() } }
            adopted += ids.count
        }
        return adopted
    }
}
