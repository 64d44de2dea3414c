import CrashPoint
package import Jobs
import SQLite
import StoreRules

extension SQLiteJobStore {
    package func prune(olderThan age: Milliseconds) async throws -> Pruning {
        let now = now()
        guard now.isCertain else { return Pruning() }
        let cacheTTL = settings.rules.cacheTTL
        // Without the write lock; and if nothing is to be done, none is taken.
        let look = try await read { connection in
            let ages = Ages(
                try CalendarRow.load(connection), kept: age, cacheTTL: cacheTTL, now: now.timestamp)
            return try Prune.look(ages, connection, now: now)
        }
        guard look.isDue else { return Pruning() }
        return try await write { context in try Prune(context: context).run(look) }
    }
}

/// How old what goes must be; a calendar that was corrected makes nothing older than it is.
private struct Ages {
    let finishedBefore: Timestamp
    let answersExpiredBefore: Timestamp
    /// When batches are looked at.
    let batchesAt: Timestamp

    init(_ calendar: AgreedCalendar?, kept: Milliseconds, cacheTTL: Milliseconds, now: Timestamp) {
        func oldest(_ kept: Milliseconds) -> Timestamp {
            calendar?.oldest(kept: kept, at: now) ?? now + -kept
        }
        finishedBefore = oldest(kept)
        answersExpiredBefore = oldest(cacheTTL) + cacheTTL
        batchesAt = oldest(MessageBatch.kept) + MessageBatch.kept
    }
}

/// Deletes in chunks, so that the write lock is held briefly, and gives pages back to the file system.
private struct Prune {
    static let limit = 500
    private static let giveBack: SQL = "PRAGMA incremental_vacuum(2000)"

    let context: WriteContext
    var connection: Connection { context.connection }

    /// What is old enough, as it was before the write lock was taken.
    struct Look: Sendable {
        var ages: Ages
        var jobs: [PruneFloor.Finished] = []
        var floor: PruneFloor
        var isCut: Bool
        var isDue: Bool
    }

    static func look(_ ages: Ages, _ connection: Connection, now: Now) throws -> Look {
        var floor = try PruneFloor.load(connection, now: ages.batchesAt)
        let (jobs, isCut) = try floor.pass(
            before: ages.finishedBefore, limit: limit, connection, now: ages.batchesAt)
        let isDue =
            try !jobs.isEmpty || floor.hasMoved || Latencies.isStale(connection, now: now)
            || connection.exists(
                "SELECT 1 FROM answer WHERE uses = 0 AND expires_at < ?1 LIMIT 1",
                [.integer(ages.answersExpiredBefore.milliseconds)])
        return Look(ages: ages, jobs: jobs, floor: floor, isCut: isCut, isDue: isDue)
    }

    func run(_ look: Look) throws -> Pruning {
        let jobs = look.jobs
        try Latencies.prune(connection, now: context.now)
        try PromptCache.prune(connection, now: context.now.moment)
        try ProviderBatches.prune(connection, now: context.now.timestamp)
        try look.floor.save(connection)
        if let last = jobs.last { try context.advanceFloor(place: last.place) }
        var deleted = 0
        for job in jobs {
            // One that was retried since is not finished any more.
            let gone = try connection.run(
                "DELETE FROM job WHERE id = ?1 AND finish_order = ?2",
                [.integer(job.id), .integer(job.place)])
            guard gone == 1 else { continue }
            deleted += 1
            context.tallies.moved(lane: job.lane, batch: nil, from: job.state, to: nil)
            guard let answer = job.answer else { continue }
            _ = try connection.run("UPDATE answer SET uses = uses - 1 WHERE id = ?1", [.integer(answer)])
        }
        let answers = try deleteAnswers(expiredBefore: look.ages.answersExpiredBefore)
        crashPoint("prune-deleted")
        _ = try connection.run(Self.giveBack)
        return Pruning(
            jobs: deleted, answers: answers, more: look.isCut || answers == Self.limit)
    }

    /// Those that no job has and that may not be served any more; returns how many they were.
    private func deleteAnswers(expiredBefore: Timestamp) throws -> Int {
        let unused = try connection.query(
            "SELECT id, prompt_hash FROM answer WHERE uses = 0 AND expires_at < ?1 ORDER BY expires_at LIMIT ?2",
            [.integer(expiredBefore.milliseconds), .integer(Self.limit)]
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
