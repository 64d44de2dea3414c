import Jobs
import SQLite

/// The ways a job ends; each of them once, from `queued` or from the attempt that holds it.
struct JobCompletion {
    let context: WriteContext

    init(_ context: WriteContext) {
        self.context = context
    }

    /// A queued job whose answer is there already: it costs nothing.
    func succeedFromCache(_ job: Int64, lane: Int64, batch: Int64?, _ answer: CachedAnswer) throws {
        let connection = context.connection
        let now = context.now.timestamp.milliseconds
        let prefix = try connection.queryOne(
            """
            UPDATE job
            SET state = 'succeeded', ready = 0, held_until = NULL, held_hash = NULL, answer_id = ?2, cached = 1,
                saved = ?3, started_at = coalesce(started_at, ?4), finished_at = ?4, finish_order = ?5, error = NULL
            WHERE id = ?1
            RETURNING prefix_hash, (SELECT lane.route_id FROM lane WHERE lane.id = job.lane_id)
            """,
            [
                .integer(job), .integer(answer.id), .integer(answer.cost), .integer(now),
                .integer(try context.nextFinishOrder()),
            ]
        ) { row in (hash: row.blobOrNil(0), route: row.int64(1)) }
        // It makes no call that would write the prefix: the next of those that wait for it does.
        if let prefix, let hash = prefix.hash {
            try Holds.releaseFirst(hash, route: prefix.route, connection)
        }
        _ = try connection.run("UPDATE answer SET uses = uses + 1 WHERE id = ?1", [.integer(answer.id)])
        context.moved(lane: lane, batch: batch, from: .queued, to: .succeeded)
        // An answer younger than the job is one whose call the job waited for.
        let isShared = answer.createdAt >= JobID(job).createdAt
        try context.spent(lane: lane, job: job) { spend in
            spend.cacheHits += 1
            spend.saved += answer.cost
            spend.sharedHits += isShared ? 1 : 0
            spend.sharedSaved += isShared ? answer.cost : 0
        }
        context.booked(batch: batch) { money in
            money.cacheHits += 1
            money.saved += answer.cost
        }
    }

    /// A queued job that cannot be done any more.
    func fail(_ job: Int64, lane: Int64, batch: Int64?, _ error: JobError) throws {
        try end(job, .failed, error: error)
        context.moved(lane: lane, batch: batch, from: .queued, to: .failed)
    }

    /// Sets the terminal state and frees whoever waits for the job's call; the caller moves the tallies.
    func end(_ job: Int64, _ state: JobState, error: JobError?) throws {
        let connection = context.connection
        let waited = try connection.queryOne(
            """
            UPDATE job
            SET state = ?2, ready = 0, held_until = NULL, held_hash = NULL, error = ?3, error_type = ?6,
                finished_at = ?4, finish_order = ?5
            WHERE id = ?1
            RETURNING prompt_hash, (SELECT lane.route_id FROM lane WHERE lane.id = job.lane_id), prefix_hash
            """,
            [
                .integer(job), .text(state.rawValue), .utf8(error.map(ErrorText.write)),
                .integer(context.now.timestamp.milliseconds), .integer(try context.nextFinishOrder()),
                .text(state == .failed ? error?.type : nil),
            ], { row in (row.blob(0), row.int64(1), row.blobOrNil(2)) })
        guard let (hash, route, prefix) = waited else { return }
        try Holds.releaseFirst(hash, route: route, connection)
        if let prefix { try Holds.releaseFirst(prefix, route: route, connection) }
    }
}
