package import Jobs
import SQLite
import StoreRules

extension SQLiteJobStore {
    package func job(_ id: JobID) async throws -> Job? {
        let (now, settings) = (now(), settings)
        return try await read { connection in
            try JobDecoder(
                connection: connection, now: now, bodies: [.request, .response], settings: settings
            ).job(id)
        }
    }

    package func jobs(_ filter: JobFilter, before: JobID?, limit: Int, bodies: Bodies) async throws -> [Job] {
        let (now, settings) = (now(), settings)
        return try await read { connection in
            let ids = try Search(filter, connection).ids(.descending, behind: before, limit: limit)
            return try JobDecoder(connection: connection, now: now, bodies: bodies, settings: settings).jobs(
                ids)
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
            guard try JobRecord.find(id.value, connection) != nil else { return nil }
            return try connection.query(
                """
                SELECT attempt.number, attempt.status, coalesce(
                        worker.name, 'batch ' || coalesce(provider_batch.provider_id, 'not sent'), 'worker ' || attempt.worker_id
                    ),
                    route.provider || '/' || route.model, attempt.opened_at, attempt.closed_at, attempt.verdict,
                    attempt.counted, attempt.error, attempt.request_id, attempt.input_tokens, attempt.output_tokens,
                    attempt.cache_write_tokens, attempt.cache_write_1h_tokens, attempt.cache_read_tokens, attempt.cost,
                    attempt.unconfirmed_cost, attempt.fallback_cause
                FROM attempt
                JOIN route ON route.id = attempt.route_id
                LEFT JOIN worker ON worker.id = attempt.worker_id
                LEFT JOIN provider_batch ON provider_batch.id = attempt.provider_batch_id
                WHERE attempt.job_id = ?1
                ORDER BY attempt.number
                """, [.integer(id.value)]
            ) { row in Attempt(row) }
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
            number: row.int(0), status: Status(rawValue: row.text(1)) ?? .settled, worker: row.text(2),
            route: row.text(3), openedAt: Timestamp(milliseconds: row.int64(4)),
            closedAt: row.int64OrNil(5).map { Timestamp(milliseconds: $0) }, verdict: row.textOrNil(6),
            counted: row.bool(7), error: row.isNull(8) ? nil : ErrorText.read(row.blob(8)),
            requestID: row.textOrNil(9), usage: usage, cost: Money(nanodollars: row.int64(15)),
            unconfirmedCost: Money(nanodollars: row.int64(16)),
            fallback: row.textOrNil(17).flatMap(Fallback.Cause.init(rawValue:)))
    }
}
