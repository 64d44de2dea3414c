package import Jobs
import Postgres
import StoreRules

extension PostgresJobStore {
    package func prune(olderThan age: Milliseconds) async throws -> Pruning {
        let now = now()
        // In no writing transaction; and if nothing is to be done, there is none.
        let look = try await read { access in
            try Prune.look(finishedBefore: now.timestamp + -age, access, now: now)
        }
        guard look.isDue, schema.mayWork else { return Pruning() }
        return try await write(needing: .finishes) { context in
            context.permit.mayWork ? try Prune(context: context).run(look) : Pruning()
        }
    }
}

/// Deletes in chunks, so that no transaction is long.
private struct Prune {
    static let limit = 500

    let context: WriteContext

    /// What is old enough, as it was before the writing transaction.
    struct Look: Sendable {
        let now: Now
        var jobs: [PruneFloor.Finished] = []
        var floor: PruneFloor
        var isCut: Bool
        var hasManyParts: Bool
        var isDue: Bool
    }

    static func look(finishedBefore: Timestamp, _ access: Access, now: Now) throws -> Look {
        var floor = try PruneFloor.load(access, now: now.timestamp)
        let (jobs, isCut) = try floor.pass(
            before: finishedBefore, limit: limit, access, now: now.timestamp)
        let isDue =
            try !jobs.isEmpty || floor.hasMoved || Latencies.isStale(access, now: now)
            || access.query(.anyExpiredAnswer, [.integer(now.timestamp.milliseconds)]).count > 0
        let parts = try !access.query([TallyParts.areMany])[0].isEmpty
        return Look(
            now: now, jobs: jobs, floor: floor, isCut: isCut, hasManyParts: parts, isDue: isDue || parts)
    }

    func run(_ look: Look) throws -> Pruning {
        Latencies.prune(context)
        PromptCache.prune(context)
        ProviderBatches.prune(context)
        if look.hasManyParts { TallyParts.merge(context) }
        look.floor.save(context)
        let deleted = try delete(look.jobs)
        let answers = try context.query(
            .deleteExpiredAnswers, [.integer(look.now.timestamp.milliseconds), .integer(Self.limit)]
        ).touched
        return Pruning(jobs: deleted, answers: answers, more: look.isCut || answers == Self.limit)
    }

    /// Returns how many were still there, at the same place in the order of finishing: one that was retried since is not
    /// finished any more.
    private func delete(_ jobs: [PruneFloor.Finished]) throws -> Int {
        guard !jobs.isEmpty else { return 0 }
        let gone = try context.query(
            .deleteEnded, [.integers(jobs.map(\.id)), .integers(jobs.map(\.place))])
        for row in gone {
            let state = JobState(rawValue: try row.text(2)) ?? .failed
            context.tallies.moved(lane: try row.int64(1), batch: nil, from: state, to: nil)
        }
        context.deleteUnplaced(try gone.map { row in try row.int64(0) })
        let answers = try gone.compactMap { row in try row.int64OrNil(3) }
        if !answers.isEmpty { context.run(.leaveAnswers, [.integerArray(answers)]) }
        return gone.count
    }
}

extension WriteContext {
    /// Deletes all that belongs to jobs which stand nowhere any more.
    func deleteUnplaced(_ jobs: [Int64]) {
        guard !jobs.isEmpty else { return }
        for statement in Statement.deleteUnplaced { run(statement, [.integerArray(jobs)]) }
    }
}

extension Statement {
    fileprivate static let anyExpiredAnswer = Statement(
        "any-expired-answer", "SELECT id FROM answer WHERE uses = 0 AND expires_at < $1::bigint LIMIT 1",
        .bigint
    )
    /// Those that no job has and that may not be served any more.
    fileprivate static let deleteExpiredAnswers = Statement(
        "delete-expired-answers",
        """
        DELETE FROM answer
        WHERE id = ANY (ARRAY(
            SELECT id FROM answer WHERE uses = 0 AND expires_at < $1::bigint ORDER BY expires_at LIMIT $2::bigint
        ))
        """, .bigint, .bigint)
    fileprivate static let leaveAnswers = Statement(
        "leave-answers",
        """
        UPDATE answer
        SET uses = answer.uses - gone.jobs
        FROM (SELECT id, count(*) AS jobs FROM unnest($1::bigint[]) AS gone (id) GROUP BY id) AS gone
        WHERE answer.id = gone.id
        """, .bigints)
    fileprivate static let deleteEnded = Statement(
        "delete-ended-jobs",
        """
        DELETE FROM ended
        USING unnest($1::bigint[], $2::bigint[]) AS old (job_id, finish_order)
        WHERE ended.job_id = old.job_id AND ended.finish_order = old.finish_order
        RETURNING ended.job_id, ended.lane_id, ended.state, ended.answer_id
        """, .bigints, .bigints)

    fileprivate static let deleteUnplaced = [
        Statement("delete-jobs-attempts", "DELETE FROM attempt WHERE job_id = ANY ($1::bigint[])", .bigints),
        Statement("delete-jobs-tags", "DELETE FROM job_tag WHERE job_id = ANY ($1::bigint[])", .bigints),
        Statement("delete-jobs-checks", "DELETE FROM job_check WHERE job_id = ANY ($1::bigint[])", .bigints),
        Statement(
            "delete-jobs-items", "DELETE FROM message_batch_item WHERE job_id = ANY ($1::bigint[])", .bigints),
        Statement(
            "delete-jobs-names",
            """
            DELETE FROM job_name
            USING job
            WHERE job.id = ANY ($1::bigint[]) AND job_name.queue_id = job.queue_id AND job_name.custom_id = job.custom_id
            """, .bigints),
        Statement(
            "delete-jobs-keys",
            """
            DELETE FROM job_key
            USING job
            WHERE job.id = ANY ($1::bigint[]) AND job_key.idempotency_key = job.idempotency_key
                AND job_key.idempotency_ordinal = job.idempotency_ordinal AND job_key.tenant_id = job.tenant_id
            """, .bigints),
        Statement("delete-jobs", "DELETE FROM job WHERE id = ANY ($1::bigint[])", .bigints),
    ]
}
