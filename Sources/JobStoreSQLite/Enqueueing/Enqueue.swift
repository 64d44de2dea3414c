package import Jobs
import SQLite

extension SQLiteJobStore {
    package func enqueue(_ jobs: [NewJob], atomically: Bool, now: Now) async throws -> [EnqueueOutcome] {
        try await write(now: now) { context in
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

    package func preview(_ jobs: [NewJob], now: Now) async throws -> [EnqueuePreview] {
        let sharesAnswers = settings.sharesAnswers
        return try await read { connection in
            var preview = Preview(connection, now: now, shares: sharesAnswers)
            return try jobs.map { try preview.of($0) }
        }
    }

    package func createBatch(name: String, metadata: [UInt8]?, now: Now) async throws -> Batch {
        try await write(now: now) { context in
            if let batch = try Batches.find(context.connection, name: name) { return batch }
            let last =
                try context.connection.queryOne("SELECT max(id) FROM batch") { row in row.int64(0) } ?? 0
            let id = max(now.timestamp.firstID, last + 1)
            _ = try context.connection.run(
                "INSERT INTO batch (id, name, metadata, created_at) VALUES (?1, ?2, ?3, ?4)",
                [.integer(id), .text(name), .blob(metadata), .integer(now.timestamp.milliseconds)])
            return Batch(
                id: BatchID(id), name: name, metadata: metadata, createdAt: now.timestamp,
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
    /// Into whose own line; nil for the common one.
    private let owner: WorkerID?
    /// Into lanes of this batch of the compatible API, which nobody may claim from before they are opened.
    private let sealed: BatchID?
    var connection: Connection { context.connection }
    private var queues: [String: Queue] = [:]
    private var lanes: [LaneName: Int64] = [:]
    private var ordinals: [Int64: Int64] = [:]
    private var laneBudget: LaneBudget?
    private var requirements: Requirements

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

    init(_ context: WriteContext, owner: WorkerID? = nil, sealed: BatchID? = nil) {
        self.context = context
        self.owner = owner
        self.sealed = sealed
        requirements = Requirements(context.connection)
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
        if let known = try Repetition.find(of: job, connection) { return known }
        // What is sealed has been asked before: there it stands with its fault.
        if sealed == nil, let refusal = try requirements.refusal(of: job) { return .refused(refusal) }
        guard let place = try place(of: job) else { return .noSuchBatch }
        let id = try context.newJobID()
        try insert(job, id: id, place: place)
        try insertBody(job, id: id)
        try Checks.insert(job, id: id, queueCheck: place.queue.check, lane: place.lane, context)
        for tag in Set(job.tags) {
            _ = try connection.run(
                "INSERT INTO job_tag (tag, job_id) VALUES (?1, ?2)", [.text(tag), .integer(id)])
        }
        context.moved(lane: place.lane, batch: job.batch?.value, from: nil, to: .queued)
        return .created(JobID(id))
    }

    private struct Place {
        var queue: Queue
        var lane: Int64
        var ordinal: Int64?
    }

    /// Nil where its batch does not exist; a job that is not taken leaves no queue or route behind.
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
        let (queue, budget, route) = (name.queue, name.budget, try context.routeID(name.route))
        if let owner {
            return try InteractiveLanes(context, owner: owner).laneID(
                queue: queue, route: route, budget: budget)
        }
        return try context.laneID(
            queue: queue, route: route, budget: budget, kind: name.isHalfPrice ? .halfPrice : .common,
            batch: sealed?.value)
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
            """, [.integer(batch), .bool(sealed != nil)], { row in row.int64(0) })
    }

    private func insert(_ job: NewJob, id: Int64, place: Place) throws {
        let now = context.now.timestamp
        let runAt = job.runAt ?? now + (job.delay ?? 0)
        let isReady = runAt <= now
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
                .integer(id), .integer(place.lane), .integer(place.queue.id), .bool(isReady),
                .integer(Rank.of(createdAt: now, priority: job.priority)),
                isReady ? .null : .integer(runAt.milliseconds), .integer(job.maxAttempts),
                .integer(job.priority),
                .text(job.cache.rawValue), .integer(job.maxTokens), .integer(job.request.count),
                .blob(job.promptHash.bytes), .integer(now.milliseconds), .integer(runAt.milliseconds),
                .integer(job.deadline?.milliseconds), .text(job.key), .integer(job.batch?.value),
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
                job.betas.isEmpty ? .null : .text(job.betas.sorted().joined(separator: ",")),
            ])
    }
}

/// Where a job stands in its lane: earlier is lower.
enum Rank {
    /// One step of priority is worth this much age, so waiting overtakes priority by itself.
    static let agingStep: Milliseconds = 60_000

    static func of(createdAt: Timestamp, priority: Int) -> Int64 {
        createdAt.milliseconds - Int64(priority) * agingStep
    }
}

/// Whether a job was taken in before, by its key or by its upload's idempotency key.
enum Repetition {
    static func find(of job: NewJob, _ connection: Connection) throws -> EnqueueOutcome? {
        if let idempotency = job.idempotency,
            let (id, fingerprint) = try connection.queryOne(
                """
                SELECT job_id, fingerprint
                FROM job_body
                WHERE idempotency_key = ?1 AND idempotency_ordinal = ?2
                """, [.text(idempotency.key), .integer(idempotency.ordinal)],
                { row in (JobID(row.int64(0)), row.blob(1)) })
        {
            return fingerprint == job.fingerprint ? .existing(id) : .idempotencyMismatch(id)
        }
        if let key = job.key,
            let (id, fingerprint) = try connection.queryOne(
                """
                SELECT job.id, job_body.fingerprint
                FROM queue
                JOIN job ON job.queue_id = queue.id AND job.custom_id = ?2
                JOIN job_body ON job_body.job_id = job.id
                WHERE queue.name = ?1
                """, [.text(job.queue), .text(key)], { row in (JobID(row.int64(0)), row.blob(1)) })
        {
            return fingerprint == job.fingerprint ? .existing(id) : .keyTaken(by: id)
        }
        return nil
    }
}

/// What would become of a job, by reading only.
private struct Preview {
    let connection: Connection
    let now: Now
    let sharesAnswers: Bool
    private var requirements: Requirements
    private var profiles: [RouteKey: RouteProfile] = [:]

    init(_ connection: Connection, now: Now, shares: Bool) {
        self.connection = connection
        self.now = now
        sharesAnswers = shares
        requirements = Requirements(connection)
    }

    mutating func of(_ job: NewJob) throws -> EnqueuePreview {
        switch try Repetition.find(of: job, connection) {
        case .existing(let id), .created(let id): return .existing(id)
        case .keyTaken(let id), .idempotencyMismatch(let id): return .conflict(id)
        case .noSuchBatch, .refused, nil: break
        }
        if let refusal = try requirements.refusal(of: job) { return .refused(refusal) }
        guard job.cache == .use, sharesAnswers else { return .new(try estimate(of: job)) }
        guard
            let route = try connection.queryOne(RouteRow.byKey, job.route.values, { row in row.int64(0) }),
            let answer = try CachedAnswer.find(
                job.promptHash.bytes, route: route, now: now.timestamp, connection)
        else { return .new(try estimate(of: job)) }
        return .cached(saves: Money(nanodollars: answer.cost))
    }

    private mutating func estimate(of job: NewJob) throws -> CallEstimate {
        let profile: RouteProfile
        if let known = profiles[job.route] {
            profile = known
        } else {
            profile = try RouteRow.find(job.route, connection)?.ledger.profile ?? RouteProfile()
            profiles[job.route] = profile
        }
        return CallEstimate(requestBytes: job.request.count, maxTokens: job.maxTokens, profile: profile)
    }
}
