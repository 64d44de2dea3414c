package import Jobs
import SQLite

extension SQLiteJobStore {
    /// Looks first, over a reading connection: where no lease ran out and no deadline passed, no lock is taken.
    package func reap(now: Now) async throws -> Reaping {
        let isDue = try await read { connection in try Reap.isDue(connection, now: now) }
        guard isDue else { return Reaping() }
        return try await write(now: now) { context in try Reap(context: context).run() }
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
    var connection: Connection { context.connection }

    static func isDue(_ connection: Connection, now: Now) throws -> Bool {
        try connection.queryOne(
            """
            SELECT EXISTS (
                    SELECT 1 FROM attempt WHERE status = 'open' AND provider_batch_id IS NULL AND lease_until <= ?1
                )
                OR EXISTS (SELECT 1 FROM attempt WHERE status = 'open' AND provider_batch_id IS NULL AND boot <> ?2)
                OR EXISTS (
                    SELECT 1 FROM job
                    WHERE deadline IS NOT NULL AND finish_order IS NULL AND deadline <= ?3 AND state = 'queued'
                )
            """,
            [
                .integer(now.moment.milliseconds), .integer(now.moment.boot),
                .integer(latestDeadline(now)),
            ],
            { row in row.bool(0) }) == true || !InteractiveLanes.orphans(connection, now: now.moment).isEmpty
            || !MessageBatches.halfCancelled(connection, now: now.timestamp).isEmpty
            || LaneMoves.isPending(connection)
    }

    /// While calendars disagree no deadline is over.
    private static func latestDeadline(_ now: Now) -> Int64 {
        now.isCertain ? now.timestamp.milliseconds : .min
    }

    func run() throws -> Reaping {
        let expired = try StoredAttempt.expired(at: context.now.moment, limit: Self.limit, connection)
        for attempt in expired { try writeOff(attempt) }
        let late = try expireDeadlines()
        let adopted = try InteractiveLanes.adopt(context, limit: Self.limit)
        let cancelled = try endCancelling()
        let isMoving = try LaneMoves.goOn(context, limit: Self.limit)
        return Reaping(
            writtenOff: expired.count, expiredDeadlines: late,
            more: isMoving || [expired.count, late, adopted, cancelled].contains(Self.limit))
    }

    private func writeOff(_ attempt: StoredAttempt) throws {
        let error = JobError(
            type: "lease_lost",
            message: "the worker did not renew its lease: it died, was stopped or lost its disk",
            retryable: true)
        guard let job = try WriteOff(context, error).write(attempt) else { return }
        if job.state == .running, job.attempt == attempt.number {
            try returnToLine(job)
        }
        try PromptCacheWarmup.close(attempt, of: job, answered: false, now: context.now.moment, connection)
        try WriteOff.freeFollower(of: attempt, connection)
    }

    private func returnToLine(_ job: StoredJob) throws {
        if job.crashCount + 1 >= Poison.failAfter {
            let error = JobError(
                type: "worker_lost", message: "\(job.crashCount + 1) workers died while they held this job",
                retryable: true)
            try JobCompletion(context).end(job.id, .failed, error: error)
            context.moved(lane: job.lane, batch: job.batch, from: .running, to: .failed)
            return
        }
        _ = try connection.run(
            "UPDATE job SET state = 'queued', ready = 1, crash_count = crash_count + 1 WHERE id = ?1",
            [.integer(job.id)])
        context.moved(lane: job.lane, batch: job.batch, from: .running, to: .queued)
        try Lanes.move(job.id, context) { $0.leaveInteractiveLane() }
    }

    private func endCancelling() throws -> Int {
        var count = 0
        for batch in try MessageBatches.halfCancelled(connection, now: context.now.timestamp) {
            count += try MessageBatches.cancelQueued(of: batch, limit: Self.limit - count, context)
        }
        return count
    }

    private func expireDeadlines() throws -> Int {
        let late = try connection.query(
            """
            SELECT id, lane_id, batch_id
            FROM job
            WHERE deadline IS NOT NULL AND finish_order IS NULL AND deadline <= ?1 AND state = 'queued'
            ORDER BY deadline
            LIMIT ?2
            """, [.integer(Self.latestDeadline(context.now)), .integer(Self.limit)]
        ) { row in (id: row.int64(0), lane: row.int64(1), batch: row.int64OrNil(2)) }
        for job in late {
            try JobCompletion(context).fail(job.id, lane: job.lane, batch: job.batch, .deadlineExceeded)
        }
        return late.count
    }
}
