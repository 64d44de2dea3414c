package import Jobs
import SQLite
import StoreRules

extension SQLiteJobStore {
    package func enqueue(_ jobs: [NewJob], atomically: Bool) async throws -> [EnqueueOutcome] {
        try await write { context in
            guard atomically else { return try Enqueue(context).run(jobs) }
            do {
                return try context.connection.savepoint {
                    let outcomes = try Enqueue(context).run(jobs)
                    if outcomes.contains(where: { $0.id == nil }) { throw Refused(outcomes: outcomes) }
                    return outcomes
                }
            } catch let refused as Refused {
                context.forgetTallies()
                return refused.outcomes
            }
        }
    }

    package func preview(_ jobs: [NewJob]) async throws -> [EnqueuePreview] {
        let (now, settings) = (now(), settings.rules)
        return try await read { connection in
            var previewer = EnqueuePreviewer(StoredEnqueue(connection, now: now), settings: settings)
            return try jobs.map { try previewer.preview(of: $0) }
        }
    }

    package func createBatch(name: String, metadata: [UInt8]?) async throws -> Batch {
        try await write { context in
            if let batch = try Batches.find(context.connection, name: name) { return batch }
            let last =
                try context.connection.queryOne("SELECT max(id) FROM batch") { row in row.int64(0) } ?? 0
            let id = max(context.now.timestamp.firstID, last + 1)
            _ = try context.connection.run(
                "INSERT INTO batch (id, name, metadata, created_at) VALUES (?1, ?2, ?3, ?4)",
                [.integer(id), .text(name), .blob(metadata), .integer(context.now.timestamp.milliseconds)])
            return Batch(
                id: BatchID(id), name: name, metadata: metadata, createdAt: context.now.timestamp,
                counts: StateCounts(),
                cost: .zero, saved: .zero)
        }
    }
}

private struct Refused: Error {
    var outcomes: [EnqueueOutcome]
}

/// Takes jobs into lanes, one after the other.
struct Enqueue {
    let context: WriteContext
    private let target: EnqueueTarget
    var connection: Connection { context.connection }
    private var queues: [String: Queue] = [:]
    private var lanes: [LaneName: Int64] = [:]
    private var ordinals: [Int64: Int64] = [:]
    private var laneBudget: LaneBudget?
    private var rules: EnqueueRules<StoredEnqueue>

    private struct Queue {
        let id: Int64
        let check: Checks.Stored?
    }

    private struct LaneName: Hashable {
        let queue: Int64
        let route: RouteKey
        let budget: String
        let isHalfPrice: Bool
    }

    init(_ context: WriteContext, into target: EnqueueTarget = .common) {
        self.context = context
        self.target = target
        rules = EnqueueRules(StoredEnqueue(context.connection, now: context.now))
    }

    consuming func run(_ jobs: [NewJob]) throws -> [EnqueueOutcome] {
        var outcomes: [EnqueueOutcome] = []
        outcomes.reserveCapacity(jobs.count)
        for job in jobs { outcomes.append(try take(job)) }
        for (batch, ordinal) in ordinals {
            _ = try connection.run(
                "UPDATE batch SET next_ordinal = ?2 WHERE id = ?1", [.integer(batch), .integer(ordinal)])
        }
        return outcomes
    }

    private mutating func take(_ job: NewJob) throws -> EnqueueOutcome {
        if let known = try rules.repetition(of: job) { return known }
        // What is sealed has been asked before: there it is with its fault.
        if !target.isSealed, let refusal = try rules.refusal(of: job) { return .refused(refusal) }
        guard let place = try place(of: job) else { return .noSuchBatch }
        let id = try context.newJobID()
        try insert(job, id: id, place: place)
        try insertBody(job, id: id)
        try Checks.insert(job, id: id, queueCheck: place.queue.check, lane: place.lane, context)
        for tag in Set(job.tags) {
            _ = try connection.run(
                "INSERT INTO job_tag (tag, job_id) VALUES (?1, ?2)", [.text(tag), .integer(id)])
        }
        context.tallies.moved(lane: place.lane, batch: job.batch?.value, from: nil, to: .queued)
        return .created(JobID(id))
    }

    private struct Place {
        var queue: Queue
        var lane: Int64
        var ordinal: Int64?
    }

    /// Nil if its batch does not exist; a job that is not taken leaves no queue or route behind.
    private mutating func place(of job: NewJob) throws -> Place? {
        var ordinal: Int64?
        if let batch = job.batch?.value {
            guard let last = try lastOrdinal(of: batch) else { return nil }
            ordinals[batch] = last + 1
            ordinal = last + 1
        }
        let queue = try queues[job.queue] ?? queue(job.queue)
        queues[job.queue] = queue
        let name = LaneName(
            queue: queue.id, route: job.route, budget: try budget(of: job.tags), isHalfPrice: job.isHalfPrice)
        let lane = try lanes[name] ?? laneID(of: name)
        lanes[name] = lane
        return Place(queue: queue, lane: lane, ordinal: ordinal)
    }

    private func queue(_ name: String) throws -> Queue {
        let id = try context.queueID(name)
        return Queue(id: id, check: try Checks.Stored.of(queue: id, connection))
    }

    private func laneID(of name: LaneName) throws -> Int64 {
        try context.laneID(
            of: target.place(
                queue: name.queue, route: try context.routeID(name.route), budget: name.budget,
                isHalfPrice: name.isHalfPrice))
    }

    private mutating func budget(of tags: [String]) throws -> String {
        guard !tags.isEmpty else { return "" }
        let known = try laneBudget ?? LaneBudget.load(connection)
        laneBudget = known
        return known.name(of: tags)
    }

    private func lastOrdinal(of batch: Int64) throws -> Int64? {
        if let known = ordinals[batch] { return known }
        // What a batch of the compatible API has is what its one upload brought.
        return try connection.queryOne(
            """
            SELECT next_ordinal
            FROM batch
            WHERE id = ?1 AND (?2 OR NOT EXISTS (SELECT 1 FROM message_batch WHERE batch_id = batch.id))
            """, [.integer(batch), .bool(target.isSealed)], { row in row.int64(0) })
    }

    private func insert(_ job: NewJob, id: Int64, place: Place) throws {
        let now = context.now.timestamp
        let standing = EnqueuedJob(job, now: now)
        _ = try connection.run(
            """
            INSERT INTO job (
                id, lane_id, queue_id, state, ready, rank, held_until, max_attempts, priority, cache, max_tokens,
                request_bytes, prompt_hash, created_at, run_at, deadline, custom_id, batch_id, batch_ordinal,
                worst_input_tokens, cache_writes, max_cost, prefix_hash, prefix_lifetime, worst_searches
            )
            VALUES (
                ?1, ?2, ?3, 'queued', ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
                ?21, ?22, ?23, ?24
            )
            """,
            [
                .integer(id), .integer(place.lane), .integer(place.queue.id),
                .bool(standing.heldUntil == nil), .integer(standing.rank),
                .integer(standing.heldUntil?.milliseconds), .integer(job.maxAttempts),
                .integer(job.priority),
                .text(job.cache.rawValue), .integer(job.maxTokens), .integer(job.request.count),
                .blob(job.promptHash.bytes), .integer(now.milliseconds),
                .integer(standing.runAt.milliseconds),
                .integer(job.deadline?.milliseconds), .text(job.customID), .integer(job.batch?.value),
                .integer(place.ordinal), .integer(job.bound.inputTokens), .integer(job.bound.writes.rawValue),
                .integer(job.maxCost?.nanodollars), .blob(job.prefix?.hash),
                .integer(job.prefix?.lifetime), .integer(job.bound.webSearches),
            ])
    }

    private func insertBody(_ job: NewJob, id: Int64) throws {
        _ = try connection.run(
            """
            INSERT INTO job_body (
                job_id, request, metadata, tags, fingerprint, sample, idempotency_key, idempotency_ordinal,
                requested_model, betas
            )
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
            """,
            [
                .integer(id), .blob(job.request), .blob(job.metadata),
                job.tags.isEmpty ? .null : .text(job.tags.joined(separator: "\n")), .blob(job.fingerprint),
                .integer(job.sample), .text(job.idempotency?.key), .integer(job.idempotency?.ordinal),
                job.requestedModel == job.route.model ? .null : .text(job.requestedModel),
                .text(Betas.text(job.betas)),
            ])
    }
}
