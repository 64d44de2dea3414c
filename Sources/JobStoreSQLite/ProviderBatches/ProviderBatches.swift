package import Jobs
import SQLite
import StoreRules

extension SQLiteJobStore: ProviderBatchStore {
    /// Looks first, over a reading connection: if nothing is to be done, no lock is taken.
    package func maintain(_ request: BatchMaintenanceRequest) async throws -> BatchMaintenance {
        let now = now()
        let isDue = try await read { connection in
            try !HalfPriceLanes.urgent(connection, terms: request.terms, now: now.timestamp, limit: 1).isEmpty
                || !ProviderBatchBuilder.due(connection, terms: request.terms, now: now).isEmpty
                || ProviderBatchMaintenance.isDue(connection, request, now: now)
        }
        guard isDue else { return BatchMaintenance() }
        return try await write { context in
            try ProviderBatchMaintenance(context: context, request: request).run()
        }
    }

    package func beginSending(_ id: ProviderBatchID, owner: WorkerID) async throws -> Bool {
        try await write { context in
            try ProviderBatchReporting(context, id, owner)?.beginSending() ?? false
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

    package func note(_ report: ProviderBatchReport, of id: ProviderBatchID, owner: WorkerID) async throws {
        try await write { context in try ProviderBatchReporting(context, id, owner)?.note(report) }
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
    /// As a worker would have claimed it; nil if it is closed, or went with another provider batch.
    static func attempt(
        _ key: AttemptKey, of id: ProviderBatchID, _ connection: Connection
    ) throws -> ClaimedAttempt? {
        guard let attempt = try AttemptRecord.find(key, connection), attempt.providerBatch == id.value,
            attempt.status != .settled, let route = try RouteState.load(attempt.route, connection),
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

    /// Until then a batch of the provider's list may still have to be distinguished from others.
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

    /// No client waits for a job of a batch that its owner has cancelled, running though it is.
    static let isOfCancelledBatch = """
        EXISTS (
            SELECT 1
            FROM message_batch
            WHERE message_batch.batch_id = job.batch_id AND message_batch.cancelled_at IS NOT NULL
        )
        """
}
