import Jobs
import Postgres
import StoreRules

/// The lanes of a serving process: its clients wait for their jobs, which no other worker claims while it lives.
struct InteractiveLanes {
    let context: WriteContext
    let owner: WorkerID

    init(_ context: WriteContext, owner: WorkerID) {
        self.context = context
        self.owner = owner
    }

    /// A lane that is the owner's: its own, one whose owner is gone and that is empty, or a new one.
    func laneID(queue: Int64, route: Int64, budget: String) throws -> Int64 {
        let place: [Value] = [.integer(queue), .integer(route), .text(budget), .integer(owner.value)]
        if let id = try context.queryOne(.findOwnLane, place, { row in try row.int64(0) }) { return id }
        let values = place + WorkerLiveness.values(context.now.moment)
        if let id = try context.queryOne(.inheritOwnLane, values, { row in try row.int64(0) }) { return id }
        return try context.number(.insertOwnLane, place)
    }

    /// Takes a job into the owner's lane whose client is back.
    func takeOver(_ id: Int64) throws {
        guard var job = try JobRecord.find(id, context.access) else { return }
        if try job.isRetriedForItsClient(try lastError(of: id)) {
            var edit = JobEdit(context)
            guard try edit.retry(id, RetryChange()) == .changed,
                let reopened = try JobRecord.find(id, context.access)
            else { return }
            job = reopened
        }
        guard try job.canBeTakenOver(by: owner, isGone: isGone) else { return }
        let laneBudget = try LaneBudget.load(context.access)
        try context.apply { delta in delta.takeOver(job, by: owner, laneBudget) }
    }

    private func lastError(of job: Int64) throws -> JobError? {
        try context.loadRows([job])
        return context.rows[job]?.error.flatMap(ErrorText.read)
    }

    private func isGone(_ owner: Int64) throws -> Bool {
        try context.queryOne(
            .workerLives, [.integer(owner)] + WorkerLiveness.values(context.now.moment)
        ) { row in !(try row.bool(0)) } ?? true
    }
}

// MARK: - Owners that are gone

extension InteractiveLanes {
    /// Whether no process serves an interactive lane any more, by the time after which its owner was heard of.
    static func ownerIsGone(_ since: String, owner: String = "lane.owner") -> String {
        """
        NOT EXISTS (
            SELECT 1
            FROM worker
            WHERE worker.id = \(owner) AND NOT worker.stopped AND worker.seen_at > \(since)
        )
        """
    }

    /// The lanes whose owner is gone and that have ready jobs.
    static func orphans(now: Moment) -> Call { Call(.orphans, WorkerLiveness.values(now)) }

    /// Moves ready jobs of lanes whose owner is gone to the common lanes; returns how many.
    static func adopt(_ context: WriteContext, limit: Int) throws -> Int {
        let lanes = try context.access.query([orphans(now: context.now.moment)])[0].map { try $0.int64(0) }
        guard !lanes.isEmpty else { return 0 }
        let ids = try context.query(.readyInLanes, [.integerArray(lanes), .integer(limit)]).map { row in
            try row.int64(0)
        }
        try context.loadRows(ids)
        let laneBudget = try LaneBudget.load(context.access)
        for job in try JobRecord.find(ids, context.access) {
            try context.apply { delta in
                delta.move(job, state: job.state, laneBudget) { $0.leaveInteractiveLane() }
            }
        }
        return ids.count
    }
}

extension Statement {
    fileprivate static let findOwnLane = Statement(
        "find-own-lane",
        """
        SELECT id
        FROM lane
        WHERE queue_id = $1::bigint AND route_id = $2::bigint AND budget = $3::text AND owner = $4::bigint
        """, .bigint, .bigint, .text, .bigint)

    fileprivate static let insertOwnLane = Statement(
        "insert-own-lane",
        """
        INSERT INTO lane (queue_id, route_id, budget, owner, kind, variant)
        SELECT $1::bigint, $2::bigint, $3::text, $4::bigint, 'interactive', 'interactive ' || count(*)
        FROM lane
        WHERE queue_id = $1::bigint AND route_id = $2::bigint AND budget = $3::text
        RETURNING id
        """, .bigint, .bigint, .text, .bigint)

    fileprivate static let inheritOwnLane = Statement(
        "inherit-own-lane",
        assembled: """
            UPDATE lane
            SET owner = $4::bigint
            WHERE id = (
                SELECT lane.id
                FROM lane
                WHERE lane.queue_id = $1::bigint AND lane.route_id = $2::bigint AND lane.budget = $3::text
                    AND lane.kind = 'interactive'
                    AND \(InteractiveLanes.ownerIsGone("$5::bigint"))
                    AND NOT EXISTS (
                        SELECT 1
                        FROM lane_tally
                        WHERE lane_tally.lane_id = lane.id AND jobs > 0 AND state IN ('queued', 'running')
                    )
                    -- Tallies are written at the end of an operation, which may have put a job there.
                    AND \(isEmpty)
                LIMIT 1
            )
            RETURNING id
            """, [.bigint, .bigint, .text, .bigint, .bigint], isKept: true)

    fileprivate static let workerLives = Statement(
        "worker-lives",
        """
        SELECT EXISTS (SELECT 1 FROM worker WHERE id = $1::bigint AND NOT stopped AND seen_at > $2::bigint)
        """, .bigint, .bigint)

    fileprivate static let orphans = Statement(
        "orphaned-lanes",
        assembled: """
            SELECT lane.id
            FROM lane
            WHERE lane.owner IS NOT NULL AND \(InteractiveLanes.ownerIsGone("$1::bigint"))
                AND EXISTS (SELECT 1 FROM waiting WHERE waiting.lane_id = lane.id AND waiting.held_until IS NULL)
            ORDER BY lane.id
            """, [.bigint], isKept: true)

    fileprivate static let readyInLanes = Statement(
        "ready-in-lanes",
        """
        SELECT job_id
        FROM waiting
        WHERE held_until IS NULL AND lane_id = ANY ($1::bigint[])
        ORDER BY lane_id, rank, job_id
        LIMIT $2::bigint
        """, .bigints, .bigint)
}
