import Jobs
import Postgres
import StoreRules

// The rows of new jobs, all of them in a statement for each kind.
extension WriteContext {
    func insert(_ taken: [TakenJob]) {
        run(.insertJobs, taken.columns(at: now.timestamp))
        insertNames(taken.filter { $0.job.customID != nil })
        insertKeys(taken)
        let tags = taken.flatMap { new in Set(new.job.tags).sorted().map { (tag: $0, job: new.id) } }
        if !tags.isEmpty { run(.insertTags, [.texts(tags.map(\.tag)), .integers(tags.map { $0.job })]) }
        let checked = taken.filter { $0.check != nil }
        guard !checked.isEmpty else { return }
        run(
            .insertChecks,
            [
                .integers(checked.map { $0.id }), .byteStrings(checked.map { $0.check?.rules }),
                .texts(checked.map { $0.check?.routes }), .integers(checked.map { $0.lane }),
            ])
    }

    private func insertNames(_ named: [TakenJob]) {
        guard !named.isEmpty else { return }
        run(
            .insertNames,
            [
                .integers(named.map { $0.queue }), .texts(named.map(\.job.customID)),
                .integers(named.map { $0.id }),
            ])
    }

    private func insertKeys(_ taken: [TakenJob]) {
        let keyed = taken.filter { $0.job.idempotency != nil }
        guard !keyed.isEmpty else { return }
        run(
            .insertKeys,
            [
                .texts(keyed.map { $0.job.idempotency?.key }),
                .integers(keyed.map { $0.job.idempotency.map { Int64($0.ordinal) } }),
                .integers(keyed.map { $0.id }),
            ])
    }
}

extension [TakenJob] {
    fileprivate func columns(at now: Timestamp) -> [Value] {
        let standing = map { EnqueuedJob($0.job, now: now) }
        func integers(_ value: (TakenJob) -> Int64?) -> Value { .integers(map(value)) }
        func texts(_ value: (NewJob) -> String?) -> Value { .texts(map { value($0.job) }) }
        func bytes(_ value: (NewJob) -> [UInt8]?) -> Value { .byteStrings(map { value($0.job) }) }
        return [
            integers(\.id), integers(\.queue), .integers(standing.map { $0.rank }),
            integers { Int64($0.job.maxAttempts) }, integers { Int64($0.job.priority) },
            texts(\.cache.rawValue), integers { Int64($0.job.maxTokens) },
            integers { Int64($0.job.request.count) }, integers(\.job.bound.inputTokens),
            integers(\.job.bound.webSearches), integers { Int64($0.job.bound.writes.rawValue) },
            integers(\.job.maxCost?.nanodollars), bytes(\.promptHash.bytes), bytes(\.prefix?.hash),
            integers(\.job.prefix?.lifetime), .integers(standing.map { $0.runAt.milliseconds }),
            integers(\.job.deadline?.milliseconds), texts(\.customID), integers(\.job.batch?.value),
            integers(\.ordinal), texts { $0.tags.isEmpty ? nil : $0.tags.joined(separator: "\n") },
            integers { Int64($0.job.sample) },
            texts { $0.requestedModel == $0.route.model ? nil : $0.requestedModel },
            texts { Betas.text($0.betas) }, texts(\.idempotency?.key),
            integers { $0.job.idempotency.map { Int64($0.ordinal) } }, .bools(map { $0.check != nil }),
            bytes(\.fingerprint), bytes(\.metadata), bytes(\.request), integers(\.lane),
            .integers(standing.map { $0.heldUntil?.milliseconds }), .integer(now.milliseconds),
        ]
    }
}

extension Statement {
    private static let shared = """
        max_tokens, request_bytes, worst_input_tokens, worst_searches, cache_writes, max_cost, prompt_hash, prefix_hash,
        prefix_lifetime, deadline, batch_id, has_check
        """

    fileprivate static let insertJobs = Statement(
        "insert-jobs",
        assembled: """
            WITH new AS MATERIALIZED (
                SELECT *
                FROM unnest(
                    $1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[], $8::bigint[],
                    $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bytea[], $14::bytea[], $15::bigint[],
                    $16::bigint[], $17::bigint[], $18::text[], $19::bigint[], $20::bigint[], $21::text[], $22::bigint[],
                    $23::text[], $24::text[], $25::text[], $26::bigint[], $27::boolean[], $28::bytea[], $29::bytea[], $30::bytea[],
                    $31::bigint[], $32::bigint[]
                ) AS new (
                    id, queue_id, rank, max_attempts, priority, cache, max_tokens, request_bytes, worst_input_tokens,
                    worst_searches, cache_writes, max_cost, prompt_hash, prefix_hash, prefix_lifetime, run_at, deadline, custom_id,
                    batch_id, batch_ordinal, tags, sample, requested_model, betas, idempotency_key, idempotency_ordinal, has_check,
                    fingerprint, metadata, request, lane_id, held_until
                )
            ), jobs AS (
                INSERT INTO job (
                    id, queue_id, rank, max_attempts, priority, cache, run_at, custom_id, batch_ordinal, tags, sample,
                    requested_model, betas, idempotency_key, idempotency_ordinal, fingerprint, metadata, request, created_at,
                    \(shared)
                )
                SELECT
                    id, queue_id, rank, max_attempts, priority, cache, run_at, custom_id, batch_ordinal, tags, sample,
                    requested_model, betas, idempotency_key, idempotency_ordinal, fingerprint, metadata, request, $33::bigint,
                    \(shared)
                FROM new
            )
            INSERT INTO waiting (job_id, lane_id, rank, held_until, cache, \(shared))
            SELECT id, lane_id, rank, held_until, cache, \(shared) FROM new
            """,
        [
            .bigints, .bigints, .bigints, .bigints, .bigints, .texts, .bigints, .bigints, .bigints, .bigints,
            .bigints, .bigints, .byteas, .byteas, .bigints, .bigints, .bigints, .texts, .bigints, .bigints,
            .texts, .bigints, .texts, .texts, .texts, .bigints, .bools, .byteas, .byteas, .byteas, .bigints,
            .bigints, .bigint,
        ], isKept: true)

    fileprivate static let insertNames = Statement(
        "insert-names",
        """
        INSERT INTO job_name (queue_id, custom_id, job_id)
        SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[])
        """, .bigints, .texts, .bigints)
    fileprivate static let insertKeys = Statement(
        "insert-keys",
        """
        INSERT INTO job_key (idempotency_key, idempotency_ordinal, job_id)
        SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[])
        """, .texts, .bigints, .bigints)
    fileprivate static let insertTags = Statement(
        "insert-tags",
        "INSERT INTO job_tag (tag, job_id) SELECT * FROM unnest($1::text[], $2::bigint[])", .texts, .bigints)
    fileprivate static let insertChecks = Statement(
        "insert-checks",
        """
        INSERT INTO job_check (job_id, rules, routes, first_lane_id)
        SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::text[], $4::bigint[])
        """, .bigints, .byteas, .texts, .bigints)
}
