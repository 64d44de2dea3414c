package import Postgres

/// What must be true of the rows that only PostgreSQL's schema has, or has twice: each query finds those for which it is not.
package enum PostgresAudit {
    /// Each violation as a line of text.
    package static func violations(_ connection: Connection) throws -> [String] {
        let calls = queries.map { Call(Statement("audit", assembled: $0.query)) }
        let answers = try connection.transaction(.snapshot) { transaction in try transaction.run(calls) }
        return try zip(queries, answers).flatMap { query, rows in
            try rows.map { row in try "\(query.name): \(row.text(0))" }
        }
    }

    private static let queries = [
        (
            name: "a job stands in one place",
            query: """
            SELECT format('%s: %s', job.id, count(place.job_id)) FROM job
            LEFT JOIN job_place AS place ON place.job_id = job.id
            GROUP BY job.id
            HAVING count(place.job_id) <> 1
            """
        ),
        (name: "what is a job's has its job", query: strays),
        (
            name: "a waiting job says of itself what its job says",
            query: """
            SELECT job.id::text FROM waiting JOIN job ON job.id = waiting.job_id
            WHERE (waiting.rank, waiting.cache, waiting.max_tokens, waiting.request_bytes, waiting.worst_input_tokens,
                waiting.worst_searches, waiting.cache_writes, waiting.max_cost, waiting.prompt_hash, waiting.prefix_hash,
                waiting.prefix_lifetime, waiting.deadline, waiting.batch_id, waiting.has_check)
                IS DISTINCT FROM (job.rank, job.cache, job.max_tokens, job.request_bytes, job.worst_input_tokens,
                job.worst_searches, job.cache_writes, job.max_cost, job.prompt_hash, job.prefix_hash,
                job.prefix_lifetime, job.deadline, job.batch_id, job.has_check)
            """
        ),
        (
            name: "a job that has ended is in its batch",
            query: """
            SELECT job.id::text FROM ended JOIN job ON job.id = ended.job_id
            WHERE ended.batch_id IS DISTINCT FROM job.batch_id
            """
        ),
        (
            name: "a job says whether it has a check",
            query: """
            SELECT id::text FROM job
            WHERE has_check <> EXISTS (SELECT 1 FROM job_check WHERE job_check.job_id = job.id)
            """
        ),
        (
            name: "a caller's name for a job is given to it, and no other",
            query: """
            SELECT format('%s: %s, %s', queue_id, custom_id, job_id)
            FROM (SELECT queue_id, custom_id, id AS job_id FROM job WHERE custom_id IS NOT NULL) AS named
            FULL JOIN job_name USING (queue_id, custom_id, job_id)
            WHERE named.job_id IS NULL OR job_name.job_id IS NULL
            """
        ),
        (
            name: "a key of a caller is that of its jobs",
            query: """
            SELECT format('%s %s: %s', idempotency_key, idempotency_ordinal, job_id)
            FROM (
                SELECT idempotency_key, idempotency_ordinal, tenant_id, id AS job_id
                FROM job WHERE idempotency_key IS NOT NULL
            ) AS keyed
            FULL JOIN job_key USING (idempotency_key, idempotency_ordinal, tenant_id, job_id)
            WHERE keyed.job_id IS NULL OR job_key.job_id IS NULL
            """
        ),
    ]

    /// There are no foreign keys on jobs.
    private static let strays = [
        "waiting", "running", "ended", "flight", "attempt", "job_check", "job_tag", "message_batch_item",
    ].map { table in
        """
        SELECT format('\(table) %s', job_id) FROM \(table)
        WHERE NOT EXISTS (SELECT 1 FROM job WHERE job.id = \(table).job_id)
        """
    }.joined(separator: "\nUNION ALL\n")
}
