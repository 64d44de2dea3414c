package import Jobs
import Postgres
import StoreRules

extension PostgresJobStore {
    /// Looks first: if no lease ran out and no deadline passed, no lock is taken.
    package func reap() async throws -> Reaping {
        let now = now()
        let isDue = try await read { access in try Reap.isDue(access, now: now) }
        guard isDue, schema.mayWork else { return Reaping() }
        return try await write(needing: .finishes) { context in
            context.permit.mayWork ? try Reap(context: context).run() : Reaping()
        }
    }
}

/// Writes off attempts whose lease ran out and returns their jobs, takes over what waits for a server that is gone, and
/// ends what the canceller of a batch or a change of budgets began.
///
/// The job returns; what its call may have used does not: request and tokens stay spent, and the reserved worst case
/// is booked as unconfirmed.
private struct Reap {
    static let limit = 200

    let context: WriteContext
    var access: Access { context.access }

    static func isDue(_ access: Access, now: Now) throws -> Bool {
        let answers = try access.query([
            Call(
                .isReapingDue, [.integer(now.moment.milliseconds), .integer(now.timestamp.milliseconds)]),
            InteractiveLanes.orphans(now: now.moment), LaneMoves.pending, SharedClosings.stale(at: now),
        ])
        return try answers[0].first?.bool(0) == true || answers[1].count > 0 || answers[2].count > 0
            || answers[3].count > 0
            || !MessageBatches.halfCancelled(access, now: now.timestamp).isEmpty
    }

    func run() throws -> Reaping {
        let expired = try AttemptRecord.expired(at: context.now.moment, limit: Self.limit, access)
        try reap(expired)
        let late = try expireDeadlines()
        let adopted = try InteractiveLanes.adopt(context, limit: Self.limit)
        let cancelled = try endCancelling()
        let isMoving = try LaneMoves.goOn(context, limit: Self.limit)
        return Reaping(
            writtenOff: expired.count, expiredDeadlines: late,
            more: isMoving || [expired.count, late, adopted, cancelled].contains(Self.limit))
    }

    private func reap(_ attempts: [AttemptRecord]) throws {
        guard !attempts.isEmpty else { return }
        let loader = SettleLoader(context)
        try loader.load(attempts.map(\.key), withSharedRows: true)
        let laneBudget = try LaneBudget.load(access)
        for attempt in attempts {
            guard let snapshot = loader.snapshot(attempt.key) else { continue }
            var delta = Delta()
            delta.reap(snapshot, in: &loader.rowCache, laneBudget: laneBudget, now: context.now)
            try context.apply(delta)
        }
        context.save(loader.rowCache)
    }

    private func endCancelling() throws -> Int {
        var count = 0
        for batch in try MessageBatches.halfCancelled(access, now: context.now.timestamp) {
            count += try MessageBatches.cancelQueued(of: batch, limit: Self.limit - count, context)
        }
        return count
    }

    private func expireDeadlines() throws -> Int {
        let late = try context.query(
            .lateJobs, [.integer(context.now.timestamp.milliseconds), .integer(Self.limit)]
        ).map { row in try row.int64(0) }
        guard !late.isEmpty else { return 0 }
        try context.loadRows(late)
        for job in try JobRecord.find(late, access) { try context.end(job, .failed, .deadlineExceeded) }
        return late.count
    }
}

extension Statement {
    fileprivate static let isReapingDue = Statement(
        "is-reaping-due",
        """
        SELECT EXISTS (SELECT 1 FROM flight WHERE provider_batch_id IS NULL AND lease_until <= $1::bigint)
            OR EXISTS (SELECT 1 FROM waiting WHERE deadline IS NOT NULL AND deadline <= $2::bigint)
            OR EXISTS (
                SELECT 1
                FROM running
                JOIN job ON job.id = running.job_id
                WHERE running.state = 'review' AND job.deadline <= $2::bigint
            )
        """, .bigint, .bigint)
    fileprivate static let lateJobs = Statement(
        "late-jobs",
        """
        (
            SELECT job_id
            FROM waiting
            WHERE deadline IS NOT NULL AND deadline <= $1::bigint
            ORDER BY deadline
            LIMIT $2::bigint
        )
        UNION ALL
        (
            SELECT running.job_id
            FROM running
            JOIN job ON job.id = running.job_id
            WHERE running.state = 'review' AND job.deadline <= $1::bigint
            LIMIT $2::bigint
        )
        LIMIT $2::bigint
        """, .bigint, .bigint)
}
