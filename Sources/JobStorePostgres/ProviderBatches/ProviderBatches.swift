package import Jobs
import Postgres
import StoreRules

extension PostgresJobStore {
    /// Looks first, over a reading connection: if nothing is to be done, no lock is taken.
    package func maintain(_ request: BatchMaintenanceRequest) async throws -> BatchMaintenance {
        let now = now()
        let isDue = try await read { access in
            // A follower that was freed may be for a batch.
            try ProviderBatchMaintenance.isDue(access, request, now: now)
                || !access.query([SharedClosings.any])[0].isEmpty
        }
        guard isDue, schema.mayWork else { return BatchMaintenance() }
        return try await write(needing: .finishes) { context in
            context.permit.mayWork
                ? try ProviderBatchMaintenance(context: context, request: request).run() : BatchMaintenance()
        }
    }

    package func beginSending(_ id: ProviderBatchID, owner: WorkerID) async throws -> Bool {
        try await write { context in
            try ProviderBatchReporting(context, id, owner)?.beginSending() ?? false
        }
    }

    package func requests(of id: ProviderBatchID) async throws -> [BatchedRequest] {
        try await read { access in try ProviderBatches.requests(of: id, access) }
    }

    package func note(_ report: ProviderBatchReport, of id: ProviderBatchID, owner: WorkerID) async throws {
        try await write(needing: .finishes) { context in
            try ProviderBatchReporting(context, id, owner)?.note(report)
        }
    }

    package func known(_ providerIDs: [String]) async throws -> Set<String> {
        guard !providerIDs.isEmpty else { return [] }
        return try await read { access in
            Set(try access.query(.knownBatches, [.textArray(providerIDs)]).map { row in try row.text(0) })
        }
    }

    package func batched(_ keys: [AttemptKey], to id: ProviderBatchID) async throws -> [ClaimedAttempt] {
        guard !keys.isEmpty else { return [] }
        return try await read { access in try ProviderBatches.attempts(keys, of: id, access) }
    }
}

enum ProviderBatches {
    /// The most that one round trip brings, in bytes of requests, unless one has more.
    private static let mostBytes = 8 << 20

    /// A whole batch has too much for one trip.
    static func requests(of id: ProviderBatchID, _ access: Access) throws -> [BatchedRequest] {
        var portions: [[Int64]] = []
        var bytes = 0
        for row in try access.query(.sizesOfRequests, [.integer(id.value)]) {
            let size = try row.int(1)
            if portions.isEmpty || bytes + size > mostBytes {
                portions.append([])
                bytes = 0
            }
            bytes += size
            portions[portions.count - 1].append(try row.int64(0))
        }
        return try portions.flatMap { jobs in
            try access.query(.requestsOfBatch, [.integer(id.value), .integerArray(jobs)]).map { row in
                BatchedRequest(
                    key: AttemptKey(job: JobID(try row.int64(0)), number: try row.int(1)),
                    request: try row.bytes(2))
            }
        }
    }

    /// As a worker would have claimed them; without those that are closed, or went with another provider batch.
    static func attempts(
        _ keys: [AttemptKey], of id: ProviderBatchID, _ access: Access
    ) throws -> [ClaimedAttempt] {
        let attempts = try AttemptRecord.find(keys, access).filter {
            $0.providerBatch == id.value && $0.status != .settled
        }
        guard !attempts.isEmpty else { return [] }
        let routes = try RouteState.load(Array(Set(attempts.map(\.route))), access)
        let routeKeys = Dictionary(routes.map { ($0.id, $0.key) }) { first, _ in first }
        let sent = try SentRequest.load(attempts.map(\.job), access)
        let terms = try CallTerms.load(attempts.map(\.job), access)
        return attempts.compactMap { attempt in
            guard let route = routeKeys[attempt.route], let sent = sent[attempt.job],
                let terms = terms[attempt.job]
            else { return nil }
            return terms.claimed(attempt, route, sent)
        }
    }

    /// Until then a batch of the provider's list may still have to be distinguished from others.
    private static let kept: Milliseconds = 30 * Timestamp.day

    static func prune(_ context: WriteContext) {
        context.run(
            .pruneProviderBatches, [.integer((context.now.timestamp + -kept).milliseconds)])
    }

    /// Whether the attempt of a `flight` holds its job: looked up for each, as they are few of all that run.
    static let holdsJob = """
        (
            SELECT running.state = 'running' AND running.attempt = flight.number
            FROM running
            WHERE running.job_id = flight.job_id
        ) IS TRUE
        """

    /// No client waits for the job of a `flight` whose batch its owner has cancelled, running though it is.
    static let isOfCancelledBatch = """
        (
            SELECT message_batch.cancelled_at IS NOT NULL
            FROM job
            JOIN message_batch ON message_batch.batch_id = job.batch_id
            WHERE job.id = flight.job_id
        ) IS TRUE
        """
}

/// What a call has of its job besides its request.
private struct CallTerms {
    let queue: String
    let maxTokens: Int
    let deadline: Timestamp?
    let failures: Int

    static func load(_ jobs: [Int64], _ access: Access) throws -> [Int64: CallTerms] {
        var terms: [Int64: CallTerms] = [:]
        for row in try access.query(.termsOfCalls, [.integerArray(jobs)]) {
            terms[try row.int64(0)] = CallTerms(
                queue: try row.text(1), maxTokens: try row.int(2), deadline: try row.timestampOrNil(3),
                failures: try row.int(4))
        }
        return terms
    }

    func claimed(_ attempt: AttemptRecord, _ route: RouteKey, _ sent: SentRequest) -> ClaimedAttempt {
        var claimed = ClaimedAttempt(
            key: attempt.key, queue: queue, route: route, request: sent.bytes, maxTokens: maxTokens,
            openedAt: attempt.openedOn, leaseUntil: attempt.openedAt, deadline: deadline, failures: failures,
            alone: false)
        claimed.check = sent.check
        claimed.isKeyed = sent.isKeyed
        return claimed
    }
}

extension Statement {
    fileprivate static let sizesOfRequests = Statement(
        "sizes-of-requests",
        """
        SELECT flight.job_id, job.request_bytes
        FROM flight
        JOIN job ON job.id = flight.job_id
        WHERE flight.provider_batch_id = $1::bigint
        ORDER BY flight.job_id
        """, .bigint)

    fileprivate static let requestsOfBatch = Statement(
        "requests-of-provider-batch",
        """
        SELECT flight.job_id, flight.number, coalesce(job_check.request, job.request)
        FROM flight
        JOIN job ON job.id = flight.job_id
        LEFT JOIN job_check ON job_check.job_id = flight.job_id
        WHERE flight.provider_batch_id = $1::bigint AND flight.job_id = ANY ($2::bigint[])
        ORDER BY flight.job_id
        """, .bigint, .bigints)

    fileprivate static let knownBatches = Statement(
        "known-provider-batches",
        "SELECT provider_id FROM provider_batch WHERE provider_id = ANY ($1::text[])", .texts)

    fileprivate static let termsOfCalls = Statement(
        "terms-of-calls",
        """
        SELECT job.id, queue.name, job.max_tokens, job.deadline, place.failures
        FROM job
        JOIN queue ON queue.id = job.queue_id
        JOIN job_place AS place ON place.job_id = job.id
        WHERE job.id = ANY ($1::bigint[])
        """, .bigints)

    fileprivate static let pruneProviderBatches = Statement(
        "prune-provider-batches", "DELETE FROM provider_batch WHERE ended_at < $1::bigint", .bigint)
}
