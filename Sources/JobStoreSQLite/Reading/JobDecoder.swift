import Jobs
import SQLite
import StoreRules

/// Reads jobs as people see them, with as much of their bodies as was asked for.
struct JobDecoder {
    let connection: Connection
    let now: Now
    let bodies: Bodies
    var settings = StoreSettings()

    private static let from = """
        FROM job
        JOIN queue ON queue.id = job.queue_id
        JOIN lane ON lane.id = job.lane_id
        JOIN route ON route.id = lane.route_id
        JOIN job_body ON job_body.job_id = job.id
        LEFT JOIN answer ON answer.id = job.answer_id
        LEFT JOIN route AS answering ON answering.id = answer.route_id
        LEFT JOIN job_check ON job_check.job_id = job.id
        LEFT JOIN attempt ON attempt.job_id = job.id AND attempt.number = job.attempt AND attempt.status = 'open'
            AND job.state = 'running'
        LEFT JOIN worker ON worker.id = attempt.worker_id
        """

    private var columns: String {
        """
        job.id, job.custom_id, queue.name, job.state, job.priority, job_body.tags, job_body.metadata, job.batch_id,
        job.created_at, job.run_at, job.started_at, job.finished_at, job.deadline, job.attempt, job.attempts_counted,
        job.max_attempts, job.cache, worker.name, attempt.lease_until, attempt.boot,
        \(bodies.contains(.request) ? "job_body.request" : "NULL"),
        \(bodies.contains(.response) ? "answer.body" : "NULL"),
        job.error, answer.input_tokens, answer.output_tokens, answer.cache_write_tokens, answer.cache_write_1h_tokens,
        answer.cache_read_tokens, job.cost, job.saved, job.cached, answer.job_id, coalesce(answer.model, route.model),
        route.simulated,
        coalesce(answering.provider || '/' || answering.model, route.provider || '/' || route.model),
        coalesce(job_body.requested_model, route.model), lane.kind = 'half_price', \(Checks.columns)
        """
    }

    /// Those of them that there are, in the order given, with what they wait for.
    func jobs(_ ids: [Int64]) throws -> [Job] {
        let sql = SQL("SELECT \(columns) \(Self.from) WHERE job.id = ?1")
        var resolver = WaitReasonResolver(
            StoredWaits(connection, now: now, prices: settings.rules.prices), now: now,
            settings: settings.rules)
        return try ids.compactMap { id in
            guard var job = try connection.queryOne(sql, [.integer(id)], { row in decode(row) }) else {
                return nil
            }
            job.waitingFor = try resolver.waiting(of: job)
            return job
        }
    }

    func job(_ id: JobID) throws -> Job? {
        try jobs([id.value]).first
    }

    private func decode(_ row: borrowing Row) -> Job {
        let id = row.int64(0)
        let source = row.int64OrNil(31)
        let state = JobState(rawValue: row.text(3)) ?? .failed
        var job = Job(
            id: JobID(id), customID: row.textOrNil(1), queue: row.text(2), state: state, priority: row.int(4),
            tags: row.textOrNil(5)?.split(separator: "\n").map(String.init) ?? [], metadata: row.blobOrNil(6),
            batch: row.int64OrNil(7).map { BatchID($0) }, createdAt: Timestamp(milliseconds: row.int64(8)),
            runAt: Timestamp(milliseconds: row.int64(9)), startedAt: time(row, 10), finishedAt: time(row, 11),
            deadline: time(row, 12), attempt: row.int(13), attemptsCounted: row.int(14),
            maxAttempts: row.int(15),
            cache: CacheMode(rawValue: row.text(16)) ?? .off, lease: lease(row), waitingFor: nil,
            request: row.blobOrNil(20), response: row.blobOrNil(21),
            error: state == .succeeded ? nil : row.isNull(22) ? nil : ErrorText.read(row.blob(22)),
            usage: usage(row), cost: Money(nanodollars: row.int64(28)),
            saved: Money(nanodollars: row.int64(29)),
            cached: row.bool(30), sourceJob: source == id ? nil : source.map { JobID($0) },
            model: row.text(32), requestedModel: row.text(35),
            simulated: row.bool(33))
        job.route = row.text(34)
        job.isHalfPrice = row.bool(36)
        job.check = JobCheck(row, from: 37)
        return job
    }

    private func time(_ row: borrowing Row, _ column: Int) -> Timestamp? {
        row.int64OrNil(column).map { Timestamp(milliseconds: $0) }
    }

    private func lease(_ row: borrowing Row) -> Job.Lease? {
        guard let worker = row.textOrNil(17), row.int64(19) == now.moment.epoch else { return nil }
        return Job.Lease(worker: worker, until: now.timestamp + (row.int64(18) - now.moment.milliseconds))
    }

    private func usage(_ row: borrowing Row) -> Usage? {
        guard let input = row.int64OrNil(23) else { return nil }
        return Usage(
            inputTokens: input, outputTokens: row.int64(24), cacheWriteTokens: row.int64(25),
            cacheWrite1hTokens: row.int64(26), cacheReadTokens: row.int64(27))
    }
}
