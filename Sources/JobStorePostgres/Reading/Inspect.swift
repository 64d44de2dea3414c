package import Jobs
import Postgres
import StoreRules

extension PostgresJobStore {
    package func job(_ id: JobID) async throws -> Job? {
        let found = try await readJob(id)
        // What settlements said concerns those that wait: a job that runs or has ended is as it stands.
        guard found.job?.state == .queued, found.hasClosings else { return found.job }
        try await applyClosings()
        return try await readJob(id).job
    }

    private func readJob(_ id: JobID) async throws -> (job: Job?, hasClosings: Bool) {
        let (now, rules) = (now(), settings.rules)
        return try await read { access in
            let decoder = JobDecoder(
                access: access, now: now, bodies: [.request, .response], rules: rules)
            return (try decoder.job(id), try !access.query([SharedClosings.any])[0].isEmpty)
        }
    }

    package func jobs(_ filter: JobFilter, before: JobID?, limit: Int, bodies: Bodies) async throws -> [Job] {
        try await readJobs(filter, before: before, limit: limit, bodies: bodies)
    }

    package func count(_ filter: JobFilter) async throws -> Int {
        try await read { access in try Search(filter, access).count() }
    }

    package func states(of ids: [JobID]) async throws -> [JobID: JobState] {
        try await read { access in
            try access.query(.states, [.integerArray(ids.map(\.value))]).reduce(into: [:]) { states, row in
                states[JobID(try row.int64(0))] = JobState(rawValue: try row.text(1))
            }
        }
    }

    package func attempts(of id: JobID) async throws -> [Attempt]? {
        try await read { access in
            let answers = try access.query([
                Call(.jobExists, [.integer(id.value)]), Call(.attemptsOfJob, [.integer(id.value)]),
            ])
            guard !answers[0].isEmpty else { return nil }
            return try answers[1].map { row in try Attempt(row) }
        }
    }
}

extension ListSource {
    func readJobs(_ filter: JobFilter, before: JobID?, limit: Int, bodies: Bodies) async throws -> [Job] {
        let (now, rules) = (now(), settings.rules)
        return try await readShared { access in
            let ids = try Search(filter, access).ids(.descending, behind: before, limit: limit)
            return try JobDecoder(access: access, now: now, bodies: bodies, rules: rules).jobs(ids)
        }
    }
}

extension Attempt {
    fileprivate init(_ row: Row) throws {
        let usage = try row.int64OrNil(10).map { input in
            Usage(
                inputTokens: input, outputTokens: try row.int64(11), cacheWriteTokens: try row.int64(12),
                cacheWrite1hTokens: try row.int64(13), cacheReadTokens: try row.int64(14))
        }
        self.init(
            number: try row.int(0), status: Status(rawValue: try row.text(1)) ?? .settled,
            worker: try row.text(2), route: try row.text(3), openedAt: try row.timestamp(4),
            closedAt: try row.timestampOrNil(5), verdict: try row.textOrNil(6), counted: try row.bool(7),
            error: try row.bytesOrNil(8).flatMap { ErrorText.read($0) }, requestID: try row.textOrNil(9),
            usage: usage, cost: Money(nanodollars: try row.int64(15)),
            unconfirmedCost: Money(nanodollars: try row.int64(16)),
            fallback: try row.textOrNil(17).flatMap(Fallback.Cause.init(rawValue:)))
    }
}

extension Statement {
    fileprivate static let states = Statement(
        "states", "SELECT job_id, state FROM job_place WHERE job_id = ANY ($1::bigint[])", .bigints)
    fileprivate static let jobExists = Statement(
        "job-exists", "SELECT id FROM job WHERE id = $1::bigint", .bigint)
    fileprivate static let attemptsOfJob = Statement(
        "attempts-of-job",
        """
        SELECT attempt.number, attempt.status,
            CASE
                WHEN attempt.provider_batch_id IS NOT NULL
                    THEN 'batch ' || coalesce(provider_batch.provider_id, 'not sent')
                ELSE coalesce(worker.name, 'worker ' || attempt.worker_id)
            END,
            route.provider || '/' || route.model, attempt.opened_at, attempt.closed_at, attempt.verdict,
            attempt.counted, attempt.error, attempt.request_id, attempt.input_tokens, attempt.output_tokens,
            attempt.cache_write_tokens, attempt.cache_write_1h_tokens, attempt.cache_read_tokens, attempt.cost,
            attempt.unconfirmed_cost, attempt.fallback_cause
        FROM whole_attempt AS attempt
        JOIN route ON route.id = attempt.route_id
        LEFT JOIN worker ON worker.id = attempt.worker_id
        LEFT JOIN provider_batch ON provider_batch.id = attempt.provider_batch_id
        WHERE attempt.job_id = $1::bigint
        ORDER BY attempt.number
        """, .bigint)
}
