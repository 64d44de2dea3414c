package import Jobs
import SQLite
import StoreRules

extension SQLiteJobStore {
    /// Looks first, over a reading connection: if no lease ran out and no deadline passed, no lock is taken.
    package func reap() async throws -> Reaping {
        let now = now()
        let isDue = try await read { connection in try Reap.isDue(connection, now: now) }
        guard isDue else { return Reaping() }
        return try await write { context in try Reap(context: context).run() }
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
                    WHERE deadline IS NOT NULL AND finish_order IS NULL AND deadline <= ?3
                        AND (state = 'queued' OR state = 'review')
                )
            """,
            [
                .integer(now.moment.milliseconds), .integer(now.moment.epoch),
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
        let expired = try AttemptRecord.expired(at: context.now.moment, limit: Self.limit, connection)
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
        let laneBudget = try LaneBudget.load(connection)
        for attempt in attempts {
            guard var snapshot = try loader.snapshot(attempt) else { continue }
            if let prefix = snapshot.job.prefix {
                snapshot.wroteItsPrefix = try PromptCache.isWritten(prefix, by: attempt, connection)
            }
            var delta = Delta()
            delta.reap(snapshot, in: &loader.rowCache, laneBudget: laneBudget, now: context.now)
            try context.apply(delta)
        }
        try context.save(loader.rowCache)
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
            SELECT id
            FROM job
            WHERE deadline IS NOT NULL AND finish_order IS NULL AND deadline <= ?1
                AND (state = 'queued' OR state = 'review')
            ORDER BY deadline
            LIMIT ?2
            """, [.integer(Self.latestDeadline(context.now)), .integer(Self.limit)]
        ) { row in row.int64(0) }
        for id in late {
            guard let job = try JobRecord.find(id, connection) else { continue }
            try context.end(job, .failed, .deadlineExceeded)
        }
        return late.count
    }
}
