import Jobs
import Postgres
import StoreRules

extension WriteContext {
    /// All that the delta begins, in one round trip for their numbers, which the attempts that go with them are written with.
    func beginBatches(of delta: Delta) throws {
        try begin(
            delta.changes.compactMap { change in
                if case .beginBatch(let place, let token) = change { (place, token) } else { nil }
            })
    }

    func beginBatch(_ place: BatchPlace, token: String) throws {
        guard newBatches[token] == nil else { return }
        try begin([(place, token)])
    }

    private func begin(_ batches: [(place: BatchPlace, token: String)]) throws {
        guard !batches.isEmpty else { return }
        let rows = try query(
            .beginProviderBatches,
            [
                .integers(batches.map(\.place.route)), .integers(batches.map(\.place.deadlineClass)),
                .texts(batches.map(\.token)), .integer(now.timestamp.milliseconds),
            ])
        for row in rows { newBatches[try row.text(0)] = try row.int64(1) }
    }

    func fill(_ batch: FillingBatch) throws {
        run(
            .fillProviderBatch,
            [
                .integer(try id(of: batch.reference)), .integer(batch.requests), .integer(batch.bytes),
                .integer(batch.soonest?.milliseconds),
            ])
    }

    func seal(_ batch: BatchReference, recallAt: Timestamp?) throws {
        run(.sealProviderBatch, [.integer(try id(of: batch)), .integer(recallAt?.milliseconds)])
    }

    func id(of batch: BatchReference) throws -> Int64 {
        switch batch {
        case .stored(let id): return id
        case .new(let token):
            guard let id = newBatches[token] else {
                throw JobStoreError(.internal, "a provider batch was filled before it was begun")
            }
            return id
        }
    }
}

// MARK: - Once it is sealed

extension WriteContext {
    func update(providerBatch id: Int64, _ update: ProviderBatchUpdate) throws {
        switch update {
        case .send(let requests):
            run(
                .sendProviderBatch,
                [.integer(id), .integer(requests), .integer(now.timestamp.milliseconds)])
        case .enter(let step): enter(step, id)
        case .countMiss: run(.countMiss, [.integer(id)])
        case .rejectID: run(.rejectProviderID, [.integer(id)])
        case .split(let token, let job):
            run(.splitProviderBatch, [.integer(id), .text(token), .integer(job)])
        case .own(let worker): run(.ownProviderBatch, [.integer(id), .integer(worker.value)])
        case .refreshDeadline:
            // Those that came back count no more.
            try writeRows()
            run(.refreshDeadline, [.integer(id)])
        case .end: run(.endProviderBatch, [.integer(id), .integer(now.timestamp.milliseconds)])
        }
    }

    private func enter(_ step: BatchStep, _ id: Int64) {
        run(
            .enterBatchState,
            [
                .integer(id), .text(step.state.rawValue), .integer((now.moment + step.after).milliseconds),
                .text(step.providerID), .text(step.error),
            ])
    }
}

extension Statement {
    fileprivate static let beginProviderBatches = Statement(
        "begin-provider-batches",
        """
        INSERT INTO provider_batch (route_id, deadline_class, token, created_at)
        SELECT new.route_id, new.deadline_class, new.token, $4::bigint
        FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS new (route_id, deadline_class, token)
        RETURNING token, id
        """, .bigints, .bigints, .texts, .bigint)

    fileprivate static let fillProviderBatch = Statement(
        "fill-provider-batch",
        """
        UPDATE provider_batch
        SET requests = $2::bigint, bytes = $3::bigint, soonest_deadline = $4::bigint
        WHERE id = $1::bigint
        """, .bigint, .bigint, .bigint, .bigint)

    fileprivate static let sealProviderBatch = Statement(
        "seal-provider-batch",
        "UPDATE provider_batch SET state = 'sealed', recall_at = $2::bigint WHERE id = $1::bigint", .bigint,
        .bigint)

    fileprivate static let sendProviderBatch = Statement(
        "send-provider-batch",
        """
        UPDATE provider_batch
        SET state = 'creating', requests = $2::bigint, sent_at = $3::bigint, polls = 0
        WHERE id = $1::bigint
        """, .bigint, .bigint, .bigint)

    fileprivate static let enterBatchState = Statement(
        "enter-batch-state",
        """
        UPDATE provider_batch
        SET state = $2::text, poll_at = $3::bigint, provider_id = coalesce($4::text, provider_id), error = $5::text,
            failures = CASE WHEN $5::text IS NULL THEN 0 ELSE failures + 1 END, owner_id = NULL
        WHERE id = $1::bigint
        """, .bigint, .text, .bigint, .text, .text)

    fileprivate static let countMiss = Statement(
        "count-miss", "UPDATE provider_batch SET polls = polls + 1 WHERE id = $1::bigint", .bigint)

    /// One that has no name is not away.
    fileprivate static let rejectProviderID = Statement(
        "reject-provider-id",
        """
        UPDATE provider_batch
        SET rejected_ids = rejected_ids || ' ' || provider_id, provider_id = NULL, state = 'creating', polls = 0
        WHERE id = $1::bigint AND provider_id IS NOT NULL
        """, .bigint)

    fileprivate static let splitProviderBatch = Statement(
        "split-provider-batch",
        """
        WITH other AS (
            INSERT INTO provider_batch (route_id, deadline_class, token, state, bytes, created_at, soonest_deadline, recall_at)
            SELECT route_id, deadline_class, $2::text, 'sealed', bytes, created_at, soonest_deadline, recall_at
            FROM provider_batch
            WHERE id = $1::bigint
            RETURNING id
        )
        UPDATE flight
        SET provider_batch_id = other.id
        FROM other
        WHERE flight.provider_batch_id = $1::bigint AND flight.job_id >= $3::bigint
        """, .bigint, .text, .bigint)

    fileprivate static let ownProviderBatch = Statement(
        "own-provider-batch", "UPDATE provider_batch SET owner_id = $2::bigint WHERE id = $1::bigint",
        .bigint,
        .bigint)

    fileprivate static let refreshDeadline = Statement(
        "refresh-deadline",
        assembled: """
            UPDATE provider_batch
            SET soonest_deadline = (
                SELECT min(job.deadline)
                FROM flight
                JOIN job ON job.id = flight.job_id
                WHERE flight.provider_batch_id = $1::bigint AND \(ProviderBatches.holdsJob)
            )
            WHERE id = $1::bigint
            """, [.bigint], isKept: true)

    fileprivate static let endProviderBatch = Statement(
        "end-provider-batch",
        "UPDATE provider_batch SET state = 'ended', ended_at = $2::bigint WHERE id = $1::bigint", .bigint,
        .bigint)
}
