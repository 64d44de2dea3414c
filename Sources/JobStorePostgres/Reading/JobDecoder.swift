import Jobs
import Postgres
import StoreRules

/// Reads jobs as people see them, with as much of their bodies as was asked for.
struct JobDecoder {
    let access: Access
    let now: Now
    let bodies: Bodies
    var rules = RuleSettings()

    /// Those of them that there are, in the order given, with what they wait for.
    func jobs(_ ids: [Int64]) throws -> [Job] {
        guard !ids.isEmpty else { return [] }
        let wanted = Call(.listedJobs, [.integerArray(ids)])
        var found = JobBodies(bodies, of: ids)
        let answers = try access.query([wanted] + found.calls)
        for rows in answers.dropFirst() { try found.take(rows) }
        try found.readRest(access)
        var jobs = try answers[0].map { row in try decode(row) }
        let waits = StoredWaits(access, now: now, prices: rules.prices)
        waits.expect(jobs)
        var resolver = WaitReasonResolver(waits, now: now, settings: rules)
        for index in jobs.indices {
            let body = found[jobs[index].id.value]
            (jobs[index].request, jobs[index].response) = (body.request, body.response)
            jobs[index].waitingFor = try resolver.waiting(of: jobs[index])
        }
        return jobs
    }

    func job(_ id: JobID) throws -> Job? {
        try jobs([id.value]).first
    }

    private func decode(_ row: Row) throws -> Job {
        let id = try row.int64(0)
        let source = try row.int64OrNil(27)
        let state = JobState(rawValue: try row.text(3)) ?? .failed
        var job = Job(
            id: JobID(id), customID: try row.textOrNil(1), queue: try row.text(2), state: state,
            priority: try row.int(4),
            tags: try row.textOrNil(5)?.split(separator: "\n").map(String.init) ?? [],
            metadata: try row.bytesOrNil(6), batch: try row.int64OrNil(7).map { BatchID($0) },
            createdAt: try row.timestamp(8), runAt: try row.timestamp(9),
            startedAt: try row.timestampOrNil(10), finishedAt: try row.timestampOrNil(11),
            deadline: try row.timestampOrNil(12), attempt: try row.int(13),
            attemptsCounted: try row.int(14), maxAttempts: try row.int(15),
            cache: CacheMode(rawValue: try row.text(16)) ?? .off, lease: try lease(row), waitingFor: nil,
            request: nil, response: nil,
            error: state == .succeeded ? nil : try row.bytesOrNil(19).flatMap { ErrorText.read($0) },
            usage: try usage(row), cost: Money(nanodollars: try row.int64(24)),
            saved: Money(nanodollars: try row.int64(25)), cached: try row.bool(26),
            sourceJob: source == id ? nil : source.map { JobID($0) }, model: try row.text(28),
            requestedModel: try row.text(31), simulated: try row.bool(29))
        job.route = try row.text(30)
        job.isHalfPrice = try row.bool(32)
        job.check = try JobCheck(row, from: 34)
        return job
    }

    private func lease(_ row: Row) throws -> Job.Lease? {
        guard let worker = try row.textOrNil(17), let until = try row.int64OrNil(18) else { return nil }
        return Job.Lease(worker: worker, until: now.timestamp + (until - now.moment.milliseconds))
    }

    private func usage(_ row: Row) throws -> Usage? {
        guard let input = try row.int64OrNil(20) else { return nil }
        return Usage(
            inputTokens: input, outputTokens: try row.int64(21), cacheWriteTokens: try row.int64(22),
            cacheWrite1hTokens: try row.int64(33), cacheReadTokens: try row.int64(23))
    }
}

extension Statement {
    // The limit has the planner look each place up.
    fileprivate static let listedJobs = Statement(
        "listed-jobs",
        assembled: """
            SELECT
                job.id, job.custom_id, queue.name, place.state, job.priority, job.tags, job.metadata, job.batch_id,
                job.created_at, job.run_at, place.started_at, place.finished_at, job.deadline, place.attempt,
                place.attempts_counted, job.max_attempts, job.cache, worker.name, flight.lease_until, place.error,
                answer.input_tokens, answer.output_tokens, answer.cache_write_tokens, answer.cache_read_tokens, place.cost,
                place.saved, place.cached, answer.job_id, coalesce(answer.model, route.model), route.simulated,
                coalesce(answering.provider || '/' || answering.model, route.provider || '/' || route.model),
                coalesce(job.requested_model, route.model), lane.kind = 'half_price', answer.cache_write_1h_tokens,
                \(Checks.columns)
            FROM unnest($1::bigint[]) WITH ORDINALITY AS wanted (id, number)
            JOIN job ON job.id = wanted.id
            CROSS JOIN LATERAL (SELECT * FROM job_place WHERE job_place.job_id = wanted.id LIMIT 1) AS place
            JOIN lane ON lane.id = place.lane_id
            JOIN queue ON queue.id = lane.queue_id
            JOIN route ON route.id = lane.route_id
            LEFT JOIN answer ON answer.id = place.answer_id
            LEFT JOIN route AS answering ON answering.id = answer.route_id
            LEFT JOIN job_check ON job_check.job_id = job.id
            LEFT JOIN flight ON flight.job_id = job.id AND flight.number = place.attempt AND place.state = 'running'
            LEFT JOIN worker ON worker.id = flight.worker_id
            ORDER BY wanted.number
            """, [.bigints], isKept: true)
}
