import Jobs
import Postgres

/// How far pruning has looked in the order of finishing.
///
/// Jobs of the compatible API's batches are kept for longer than others: what is left of them behind the floor is not looked
/// at again every minute, but when the first of them may go, or when somebody deletes a batch.
struct PruneFloor: Sendable {
    private var place: Int64
    /// By the calendar: until then all that is left before `place` is kept.
    private var until: Int64
    private let stored: Stored

    private struct Stored: Sendable {
        let place: Int64
        let until: Int64
    }

    /// Jobs examined in one run.
    private static let portion = 2_000
    private static let never: Int64 = 1 << 60

    struct Finished: Sendable {
        let id: Int64
        let place: Int64
        /// A cancelled job whose call has not been given up yet stays: its worker still settles it.
        fileprivate let isOpen: Bool
        fileprivate let keptUntil: Int64?
    }

    var hasMoved: Bool { place != stored.place || until != stored.until }

    static func load(_ access: Access, now: Timestamp) throws -> PruneFloor {
        let stored =
            try access.queryOne(.pruneFloor) { row in
                Stored(place: try row.int64(0), until: try row.int64(1))
            } ?? Stored(place: 0, until: 0)
        let holds = stored.until > now.milliseconds
        return PruneFloor(
            place: holds ? stored.place : 0, until: holds ? stored.until : never, stored: stored)
    }

    /// Those that may go, and whether there may be more; the floor rises over what is kept.
    mutating func pass(
        before: Timestamp, limit: Int, _ access: Access, now: Timestamp
    ) throws -> (jobs: [Finished], isCut: Bool) {
        let found = try finished(before: before, access, now: now)
        var jobs: [Finished] = []
        var rises = true
        for job in found {
            guard jobs.count < limit else { break }
            if job.isOpen { rises = false }
            if let kept = job.keptUntil { until = min(until, kept) }
            if !job.isOpen, job.keptUntil == nil { jobs.append(job) }
            if rises { place = job.place }
        }
        return (jobs, jobs.count == limit || rises && found.count == Self.portion)
    }

    private func finished(before: Timestamp, _ access: Access, now: Timestamp) throws -> [Finished] {
        let values: [Value] = [
            .integer(place), .integer(before.milliseconds), .integer(Self.portion),
            .integer((now + -MessageBatch.kept).milliseconds),
        ]
        return try access.query(.finishedBefore, values).map { row in
            Finished(
                id: try row.int64(0), place: try row.int64(1), isOpen: try row.bool(2),
                keptUntil: try row.int64OrNil(3).map { $0.addingSaturated(MessageBatch.kept) })
        }
    }

    /// Nothing changes if another did so since it was loaded: its floor may be lower.
    func save(_ context: WriteContext) {
        guard hasMoved else { return }
        context.run(
            .savePruneFloor,
            [.integer(place), .integer(until), .integer(stored.place), .integer(stored.until)])
    }

    /// What was kept before may not be any more.
    static func forget(_ context: WriteContext) { context.run(.forgetPruneFloor) }
}

extension Statement {
    fileprivate static let pruneFloor = Statement("prune-floor", "SELECT place, until FROM prune_floor")

    /// In the order of finishing, up to the first that is too young.
    fileprivate static let finishedBefore = Statement(
        "finished-before",
        """
        SELECT old.job_id, old.finish_order,
            EXISTS (SELECT 1 FROM flight WHERE flight.job_id = old.job_id),
            (
                SELECT created_at
                FROM message_batch
                WHERE message_batch.batch_id = old.batch_id AND created_at > $4::bigint
            )
        FROM (
            SELECT job_id, finish_order, batch_id, bool_and(finished_at < $2::bigint) OVER (ORDER BY finish_order) AS is_old
            FROM (
                SELECT job_id, finish_order, finished_at, batch_id
                FROM ended
                WHERE finish_order > $1::bigint
                ORDER BY finish_order
                LIMIT $3::bigint
            ) AS portion
        ) AS old
        WHERE old.is_old
        ORDER BY old.finish_order
        """, .bigint, .bigint, .bigint, .bigint)

    fileprivate static let savePruneFloor = Statement(
        "save-prune-floor",
        """
        UPDATE prune_floor
        SET place = $1::bigint, until = $2::bigint
        WHERE place = $3::bigint AND until = $4::bigint
        """, .bigint, .bigint, .bigint, .bigint)
    /// A process that looked before this cannot save what it saw: no floor was ever stored with this value.
    fileprivate static let forgetPruneFloor = Statement(
        "forget-prune-floor", "UPDATE prune_floor SET place = 0, until = -1 - abs(until % 1000000)")
}
