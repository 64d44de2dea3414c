package import Jobs
import SQLite

extension SQLiteJobStore {
    package func job(_ id: JobID, now: Now) async throws -> Job? {
        let settings = settings
        return try await read { connection in
            try JobReader(
                connection: connection, now: now, bodies: [.request, .response], settings: settings
            ).job(id)
        }
    }

    package func jobs(
        _ filter: JobFilter, before: JobID?, limit: Int, bodies: Bodies, now: Now
    ) async throws -> [Job] {
        let settings = settings
        return try await read { connection in
            let ids = try Search(filter, connection).ids(.descending, behind: before, limit: limit)
            return try JobReader(connection: connection, now: now, bodies: bodies, settings: settings).jobs(
                ids)
        }
    }

    package func results(_ query: ResultsQuery, after: Int64, limit: Int) async throws -> [FinishedJob] {
        try await read { connection in
            // Finished jobs wait for nothing, so no clock is asked.
            let now = Now(timestamp: Timestamp(milliseconds: 0), moment: Moment(boot: 0, milliseconds: 0))
            let reader = JobReader(connection: connection, now: now, bodies: query.bodies)
            if query.inputOrder, case .batch(let batch) = query.source {
                return try reader.inOrderOfInput(batch, after: after, limit: limit)
            }
            return try reader.inOrderOfFinishing(query.source, after: after, limit: limit)
        }
    }

    package func count(_ filter: JobFilter) async throws -> Int {
        try await read { connection in try Search(filter, connection).count() }
    }

    package func states(of ids: [JobID]) async throws -> [JobID: JobState] {
        try await read { connection in
            var states: [JobID: JobState] = [:]
            for id in ids {
                states[id] =
                    try connection.queryOne(
                        "SELECT state FROM job WHERE id = ?1", [.integer(id.value)],
                        { row in JobState(rawValue: row.text(0)) }) ?? nil
            }
            return states
        }
    }

    package func attempts(of id: JobID) async throws -> [Attempt]? {
        try await read { connection in
            guard try StoredJob.find(id.value, connection) != nil else { return nil }
            return try connection.query(
                """
                SELECT attempt.number, attempt.fate, coalesce(
                        worker.name, 'batch ' || coalesce(consignment.provider_id, 'not sent'), 'worker ' || attempt.worker_id
                    ),
                    route.provider || '/' || route.model, attempt.opened_at, attempt.closed_at, attempt.verdict,
                    attempt.counted, attempt.error, attempt.request_id, attempt.input_tokens, attempt.output_tokens,
                    attempt.cache_write_tokens, attempt.cache_write_1h_tokens, attempt.cache_read_tokens, attempt.cost,
                    attempt.maybe_paid, attempt.fallback_cause
                FROM attempt
                JOIN route ON route.id = attempt.route_id
                LEFT JOIN worker ON worker.id = attempt.worker_id
                LEFT JOIN consignment ON consignment.id = attempt.consignment_id
                WHERE attempt.job_id = ?1
                ORDER BY attempt.number
                """, [.integer(id.value)]
            ) { row in Attempt(row) }
        }
    }
}

extension JobReader {
    fileprivate func inOrderOfInput(_ batch: BatchID, after: Int64, limit: Int) throws -> [FinishedJob] {
        var found = try finished(
            where: "WHERE job.batch_id = ?1 AND job.batch_ordinal > ?2 AND job.finish_order IS NOT NULL",
            [.integer(batch.value), .integer(after)], order: "job.batch_ordinal", limit: limit)
        for index in found.indices {
            found[index].cursor =
                try connection.queryOne(
                    "SELECT batch_ordinal FROM job WHERE id = ?1", [.integer(found[index].job.id.value)],
                    { row in row.int64(0) }) ?? 0
        }
        return found
    }

    fileprivate func inOrderOfFinishing(
        _ source: ResultsQuery.Source, after: Int64, limit: Int
    ) throws -> [FinishedJob] {
        let base = "WHERE job.finish_order IS NOT NULL AND job.finish_order > ?1"
        switch source {
        case .all:
            return try finished(where: base, [.integer(after)], order: "job.finish_order", limit: limit)
        case .batch(let batch):
            return try finished(
                where: base + " AND job.batch_id = ?2", [.integer(after), .integer(batch.value)],
                order: "job.finish_order", limit: limit)
        case .queue(let name):
            return try finished(
                where: base + " AND job.queue_id = (SELECT id FROM queue WHERE name = ?2)",
                [.integer(after), .text(name)], order: "job.finish_order", limit: limit)
        }
    }
}

extension Attempt {
    fileprivate init(_ row: borrowing Row) {
        let usage = row.int64OrNil(10).map { input in
            Usage(
                inputTokens: input, outputTokens: row.int64(11), cacheWriteTokens: row.int64(12),
                cacheWrite1hTokens: row.int64(13), cacheReadTokens: row.int64(14))
        }
        self.init(
            number: row.int(0), fate: Fate(rawValue: row.text(1)) ?? .settled, worker: row.text(2),
            route: row.text(3), openedAt: Timestamp(milliseconds: row.int64(4)),
            closedAt: row.int64OrNil(5).map { Timestamp(milliseconds: $0) }, verdict: row.textOrNil(6),
            counted: row.bool(7), error: row.isNull(8) ? nil : ErrorText.read(row.blob(8)),
            requestID: row.textOrNil(9), usage: usage, cost: Money(nanodollars: row.int64(15)),
            maybePaid: Money(nanodollars: row.int64(16)),
            fallback: row.textOrNil(17).flatMap(Fallback.Cause.init(rawValue:)))
    }
}
