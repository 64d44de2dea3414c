package import Jobs
import SQLite

extension SQLiteJobStore: ProviderBatchStore {
    /// Looks first, over a reading connection: where nothing is to be done, no lock is taken.
    package func maintain(_ request: BatchMaintenanceRequest, now: Now) async throws -> BatchMaintenance {
        let isDue = try await read { connection in
            try !HalfPriceLanes.urgent(connection, terms: request.terms, now: now.timestamp, limit: 1).isEmpty
                || !ProviderBatchBuilder.due(connection, terms: request.terms, now: now).isEmpty
                || ProviderBatchMaintenance.isDue(connection, request, now: now)
        }
        guard isDue else { return BatchMaintenance() }
        return try await write(now: now) { context in
            try ProviderBatchMaintenance(context: context, request: request).run()
        }
    }

    package func beginSending(_ id: ProviderBatchID, owner: WorkerID, now: Now) async throws -> Bool {
        try await write(now: now) { context in
            try BatchKeeping(context, id, owner)?.beginSending() ?? false
        }
    }

    package func requests(of id: ProviderBatchID) async throws -> [BatchedRequest] {
        try await read { connection in
            let keys = try connection.query(
                """
                SELECT job_id, number
                FROM attempt
                WHERE provider_batch_id = ?1 AND status = 'open'
                ORDER BY job_id
                """, [.integer(id.value)]
            ) { row in AttemptKey(job: JobID(row.int64(0)), number: row.int(1)) }
            return try keys.map { key in
                BatchedRequest(
                    key: key, request: try SentRequest.load(key.job.value, connection)?.bytes ?? [])
            }
        }
    }

    package func note(
        _ news: ProviderBatchReport, of id: ProviderBatchID, owner: WorkerID, now: Now
    ) async throws {
        try await write(now: now) { context in try BatchKeeping(context, id, owner)?.note(news) }
    }

    package func known(_ providerIDs: [String]) async throws -> Set<String> {
        try await read { connection in
            var known: Set<String> = []
            for id in providerIDs {
                let found = try connection.queryOne(
                    "SELECT 1 FROM provider_batch WHERE provider_id = ?1", [.text(id)], { row in row.int(0) })
                if found != nil { known.insert(id) }
            }
            return known
        }
    }

    package func batched(_ keys: [AttemptKey], to id: ProviderBatchID) async throws -> [ClaimedAttempt] {
        try await read { connection in
            try keys.compactMap { key in try ProviderBatches.attempt(key, of: id, connection) }
        }
    }
}

enum ProviderBatches {
    /// As a worker would have claimed it; nil where it is closed, or went with another provider batch.
    static func attempt(
        _ key: AttemptKey, of id: ProviderBatchID, _ connection: Connection
    ) throws -> ClaimedAttempt? {
        guard let attempt = try StoredAttempt.find(key, connection), attempt.providerBatch == id.value,
            attempt.status != .settled, let route = try RouteRow.load(attempt.route, connection),
            let sent = try SentRequest.load(key.job.value, connection)
        else { return nil }
        return try connection.queryOne(
            """
            SELECT queue.name, job.max_tokens, job.deadline, job.failures
            FROM job
            JOIN queue ON queue.id = job.queue_id
            WHERE job.id = ?1
            """, [.integer(key.job.value)]
        ) { row in
            var claimed = ClaimedAttempt(
                key: key, queue: row.text(0), route: route.key, request: sent.bytes,
                maxTokens: row.int(1), openedAt: attempt.openedOn, leaseUntil: attempt.openedAt,
                deadline: row.int64OrNil(2).map { Timestamp(milliseconds: $0) }, failures: row.int(3),
                alone: false)
            claimed.check = sent.check
            claimed.isKeyed = sent.isKeyed
            return claimed
        }
    }

    /// Until then a batch of the provider's list may still have to be told from others.
    private static let kept: Milliseconds = 30 * Timestamp.day

    static func prune(_ connection: Connection, now: Timestamp) throws {
        _ = try connection.run(
            "DELETE FROM provider_batch WHERE ended_at < ?1", [.integer((now + -kept).milliseconds)])
    }

    /// Whether some job is still out with it that anybody wants.
    static let isWanted = """
        EXISTS (
            SELECT 1
            FROM attempt
            JOIN job ON job.id = attempt.job_id
            WHERE attempt.provider_batch_id = provider_batch.id AND attempt.status = 'open' AND job.state = 'running'
                AND job.attempt = attempt.number AND NOT \(isOfCancelledBatch)
        )
        """

    /// Nobody waits for a job of a batch that its owner has cancelled, running though it is.
    static let isOfCancelledBatch = """
        EXISTS (
            SELECT 1
            FROM message_batch
            WHERE message_batch.batch_id = job.batch_id AND message_batch.cancelled_at IS NOT NULL
        )
        """
}

/// What its owner says of a provider batch, while it is the owner's to say.
private struct BatchKeeping {
    let context: WriteContext
    let id: ProviderBatchID
    private let state: ProviderBatch.State
    private let polls: Int
    private var connection: Connection { context.connection }

    /// Nil where it is another's by now.
    init?(_ context: WriteContext, _ id: ProviderBatchID, _ owner: WorkerID) throws {
        let found = try context.connection.queryOne(
            "SELECT state, polls FROM provider_batch WHERE id = ?1 AND owner_id = ?2 AND ended_at IS NULL",
            [.integer(id.value), .integer(owner.value)],
            { row in (ProviderBatch.State(rawValue: row.text(0)), row.int(1)) })
        guard let (state, polls) = found, let state else { return nil }
        self.context = context
        self.id = id
        self.state = state
        self.polls = polls
    }

    private static let unwanted = SQL(
        """
        SELECT attempt.job_id, attempt.number
        FROM attempt
        JOIN job ON job.id = attempt.job_id
        WHERE attempt.provider_batch_id = ?1 AND attempt.status = 'open' AND (
            job.state <> 'running' OR job.attempt <> attempt.number OR \(ProviderBatches.isOfCancelledBatch)
        )
        """)

    /// What was cancelled meanwhile stays here.
    func beginSending() throws -> Bool {
        guard state == .sealed else { return false }
        let left = try connection.query(Self.unwanted, [.integer(id.value)]) { row in
            AttemptKey(job: JobID(row.int64(0)), number: row.int(1))
        }
        for key in left { try BatchedRow(context).close(key, unconfirmedCost: false) }
        let requests = try connection.queryOne(
            "SELECT count(*) FROM attempt WHERE provider_batch_id = ?1 AND status = 'open'",
            [.integer(id.value)],
            { row in row.int(0) })
        guard let requests, requests > 0 else {
            try note(.ended)
            return false
        }
        _ = try connection.run(
            "UPDATE provider_batch SET state = 'creating', requests = ?2, sent_at = ?3, polls = 0 WHERE id = ?1",
            [
                .integer(id.value), .integer(requests), .integer(context.now.timestamp.milliseconds),
            ])
        return true
    }

    func note(_ news: ProviderBatchReport) throws {
        switch news {
        case .created(let name):
            try become(.away, name: name)
        case .unsent(let error, let after):
            try become(.sealed, after: after, error: error)
        case .unknown(let error, let after):
            try become(.creating, after: after, error: error)
        case .missing(let after):
            try become(polls > 0 ? .sealed : .creating, after: after)
            _ = try connection.run(
                "UPDATE provider_batch SET polls = polls + 1 WHERE id = ?1", [.integer(id.value)])
        case .pending(let after):
            try become(state, after: after)
        case .recalled(let after):
            try become(.recalled, after: after)
        case .lookFailed(let error, let after):
            try become(state, after: after, error: error)
        case .stranger:
            _ = try connection.run(
                """
                UPDATE provider_batch
                SET rejected_ids = rejected_ids || ' ' || provider_id, provider_id = NULL, state = 'creating', polls = 0
                WHERE id = ?1
                """, [.integer(id.value)])
            try become(.creating)
        case .undeliverable(let error):
            try become(.returning, error: error)
        case .unsuitable(let key, let error):
            try BatchedRow(context).close(key, unconfirmedCost: false)
            try become(.sealed, error: error)
        case .tooLarge(let error):
            try split()
            try become(.sealed, error: error)
        case .lost(let error):
            try become(.lost, error: error)
        case .ended:
            // Mostly nothing is left, and the next turn ends it.
            try become(.lost)
        }
    }

    /// The later half of what is out with it goes with another.
    private func split() throws {
        let keys = try connection.query(
            "SELECT job_id FROM attempt WHERE provider_batch_id = ?1 AND status = 'open' ORDER BY job_id",
            [.integer(id.value)]
        ) { row in row.int64(0) }
        guard keys.count > 1 else { return try become(.returning) }
        let token = String(UInt64.random(in: 0...(.max), using: &context.random), radix: 36)
        _ = try connection.run(
            """
            INSERT INTO provider_batch (route_id, deadline_class, token, state, bytes, created_at, soonest_deadline, recall_at)
            SELECT route_id, deadline_class, ?2, 'sealed', bytes, created_at, soonest_deadline, recall_at
            FROM provider_batch
            WHERE id = ?1
            """, [.integer(id.value), .text(token)])
        _ = try connection.run(
            "UPDATE attempt SET provider_batch_id = ?2 WHERE provider_batch_id = ?1 AND status = 'open' AND job_id >= ?3",
            [
                .integer(id.value), .integer(connection.lastInsertRowID), .integer(keys[keys.count / 2]),
            ])
    }

    private func become(
        _ state: ProviderBatch.State, after: Milliseconds = 0, name: String? = nil, error: String? = nil
    ) throws {
        _ = try connection.run(
            """
            UPDATE provider_batch
            SET state = ?2, poll_boot = ?3, poll_at = ?4, provider_id = coalesce(?5, provider_id), error = ?6,
                failures = CASE WHEN ?6 IS NULL THEN 0 ELSE failures + 1 END, owner_id = NULL
            WHERE id = ?1
            """,
            [
                .integer(id.value), .text(state.rawValue), .integer(context.now.moment.boot),
                .integer((context.now.moment + after).milliseconds), .text(name),
                .text(error.map { String($0.prefix(500)) }),
            ])
    }
}
