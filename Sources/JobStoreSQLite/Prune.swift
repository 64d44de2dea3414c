import CrashPoint
package import Jobs
import SQLite

extension SQLiteJobStore {
    package func prune(finishedBefore: Timestamp, now: Now) async throws -> Pruning {
        let isDue = try await read { connection in
            try Prune.isDue(connection, finishedBefore: finishedBefore, now: now)
        }
        guard isDue else { return Pruning() }
        // Looked for without the write lock: the jobs of batches that are kept for longer may be many.
        let jobs = try await read { connection in
            try Prune.finished(before: finishedBefore, connection, now: now)
        }
        return try await write(now: now) { operation in try Prune(operation: operation).run(jobs) }
    }
}

/// Deletes in chunks, so that the write lock is held briefly, and gives pages back to the file system.
private struct Prune {
    static let limit = 500
    private static let giveBack: SQL = "PRAGMA incremental_vacuum(2000)"

    let operation: Operation
    var connection: Connection { operation.connection }

    static func isDue(_ connection: Connection, finishedBefore: Timestamp, now: Now) throws -> Bool {
        if try Latencies.isStale(connection, now: now) { return true }
        return try connection.queryOne(
            """
            SELECT EXISTS (SELECT 1 FROM job WHERE finish_order IS NOT NULL AND finish_order < ?1)
                OR EXISTS (SELECT 1 FROM answer WHERE uses = 0 AND expires_at < ?2)
            """, [.integer(finishedBefore.firstID), .integer(now.timestamp.milliseconds)],
            { row in row.bool(0) }) ?? false
    }

    struct Finished: Sendable {
        let id: Int64
        let lane: Int64
        let state: JobState
        let answer: Int64?
        let place: Int64
    }

    static func finished(before: Timestamp, _ connection: Connection, now: Now) throws -> [Finished] {
        // A cancelled job whose call has not been given up yet stays: its worker still settles it.
        try connection.query(
            """
            SELECT id, lane_id, state, answer_id, finish_order
            FROM job
            WHERE finish_order IS NOT NULL AND finish_order < ?1 AND NOT EXISTS (
                SELECT 1 FROM attempt WHERE attempt.job_id = job.id AND attempt.fate = 'open'
            ) AND NOT EXISTS (
                SELECT 1 FROM message_batch WHERE message_batch.batch_id = job.batch_id AND created_at > ?3
            )
            ORDER BY finish_order
            LIMIT ?2
            """,
            [
                .integer(before.firstID), .integer(Self.limit),
                .integer((now.timestamp + -MessageBatch.kept).milliseconds),
            ]
        ) { row in
            Finished(
                id: row.int64(0), lane: row.int64(1), state: JobState(rawValue: row.text(2)) ?? .failed,
                answer: row.int64OrNil(3), place: row.int64(4))
        }
    }

    func run(_ jobs: [Finished]) throws -> Pruning {
        try Latencies.prune(connection, now: operation.now)
        try Warmth.prune(connection, now: operation.now.moment)
        try Consignments.prune(connection, now: operation.now.timestamp)
        if let last = jobs.last { try operation.giveUp(place: last.place) }
        var deleted = 0
        for job in jobs {
            // One that was retried since is not finished any more.
            let gone = try connection.run(
                "DELETE FROM job WHERE id = ?1 AND finish_order = ?2",
                [.integer(job.id), .integer(job.place)])
            guard gone == 1 else { continue }
            deleted += 1
            operation.moved(lane: job.lane, batch: nil, from: job.state, to: nil)
            guard let answer = job.answer else { continue }
            _ = try connection.run("UPDATE answer SET uses = uses - 1 WHERE id = ?1", [.integer(answer)])
        }
        let answers = try deleteAnswers()
        crashPoint("prune-deleted")
        _ = try connection.run(Self.giveBack)
        return Pruning(
            jobs: deleted, answers: answers, more: jobs.count == Self.limit || answers == Self.limit)
    }

    /// Those that no job has and nobody may be given any more; returns how many they were.
    private func deleteAnswers() throws -> Int {
        let unused = try connection.query(
            "SELECT id, prompt_hash FROM answer WHERE uses = 0 AND expires_at < ?1 ORDER BY expires_at LIMIT ?2",
            [.integer(operation.now.timestamp.milliseconds), .integer(Self.limit)]
        ) { row in (id: row.int64(0), hash: row.blobOrNil(1)) }
        for answer in unused {
            _ = try connection.run("DELETE FROM answer WHERE id = ?1", [.integer(answer.id)])
            guard let hash = answer.hash else { continue }
            _ = try connection.run(
                "DELETE FROM answer_prompt WHERE prompt = substr(?1, 1, 8) AND answer_id = ?2",
                [.blob(hash), .integer(answer.id)])
        }
        return unused.count
    }
}
