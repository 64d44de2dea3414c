import Jobs
import SQLite
import StoreRules

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
        let lane: Int64
        let state: JobState
        let answer: Int64?
        let place: Int64
        /// A cancelled job whose call has not been given up yet stays: its worker still settles it.
        fileprivate let isOpen: Bool
        fileprivate let keptUntil: Int64?
    }

    var hasMoved: Bool { place != stored.place || until != stored.until }

    static func load(_ connection: Connection, now: Timestamp) throws -> PruneFloor {
        let stored =
            try connection.queryOne("SELECT place, until FROM prune_floor") { row in
                Stored(place: row.int64(0), until: row.int64(1))
            } ?? Stored(place: 0, until: 0)
        let holds = stored.until > now.milliseconds
        return PruneFloor(
            place: holds ? stored.place : 0, until: holds ? stored.until : never, stored: stored)
    }

    /// Those that may go, and whether there may be more; the floor rises over what is kept.
    mutating func pass(
        before: Timestamp, limit: Int, _ connection: Connection, now: Timestamp
    ) throws -> (jobs: [Finished], isCut: Bool) {
        let found = try finished(before: before, connection, now: now)
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

    private func finished(before: Timestamp, _ connection: Connection, now: Timestamp) throws -> [Finished] {
        try connection.query(
            """
            SELECT id, lane_id, state, answer_id, finish_order, EXISTS (
                SELECT 1 FROM attempt WHERE attempt.job_id = job.id AND attempt.status = 'open'
            ), (
                SELECT created_at
                FROM message_batch
                WHERE message_batch.batch_id = job.batch_id AND created_at > ?4
            )
            FROM job
            WHERE finish_order IS NOT NULL AND finish_order > ?1 AND finish_order < ?2
            ORDER BY finish_order
            LIMIT ?3
            """,
            [
                .integer(place), .integer(before.firstID), .integer(Self.portion),
                .integer((now + -MessageBatch.kept).milliseconds),
            ]
        ) { row in
            Finished(
                id: row.int64(0), lane: row.int64(1), state: JobState(rawValue: row.text(2)) ?? .failed,
                answer: row.int64OrNil(3), place: row.int64(4), isOpen: row.bool(5),
                keptUntil: row.int64OrNil(6).map { $0 + MessageBatch.kept })
        }
    }

    /// Nothing changes if another did so since it was loaded: its floor may be lower.
    func save(_ connection: Connection) throws {
        guard hasMoved else { return }
        _ = try connection.run(
            "UPDATE prune_floor SET place = ?1, until = ?2 WHERE place = ?3 AND until = ?4",
            [.integer(place), .integer(until), .integer(stored.place), .integer(stored.until)])
    }

    /// What was kept before may not be any more.
    static func forget(_ connection: Connection) throws {
        // A process that looked before this cannot save what it saw: no floor was ever stored with this value.
        _ = try connection.run("UPDATE prune_floor SET place = 0, until = -1 - abs(until % 1000000)")
    }
}
