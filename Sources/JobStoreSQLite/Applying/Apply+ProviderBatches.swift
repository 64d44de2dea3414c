import Jobs
import SQLite
import StoreRules

extension WriteContext {
    func beginBatch(_ place: BatchPlace, token: String) throws {
        _ = try connection.run(
            "INSERT INTO provider_batch (route_id, deadline_class, token, created_at) VALUES (?1, ?2, ?3, ?4)",
            [
                .integer(place.route), .integer(place.deadlineClass), .text(token),
                .integer(now.timestamp.milliseconds),
            ])
        newBatches[token] = connection.lastInsertRowID
    }

    func fill(_ batch: FillingBatch) throws {
        _ = try connection.run(
            "UPDATE provider_batch SET requests = ?2, bytes = ?3, soonest_deadline = ?4 WHERE id = ?1",
            [
                .integer(try id(of: batch.reference)), .integer(batch.requests), .integer(batch.bytes),
                .integer(batch.soonest?.milliseconds),
            ])
    }

    func seal(_ batch: BatchReference, recallAt: Timestamp?) throws {
        _ = try connection.run(
            "UPDATE provider_batch SET state = 'sealed', recall_at = ?2 WHERE id = ?1",
            [.integer(try id(of: batch)), .integer(recallAt?.milliseconds)])
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
            _ = try connection.run(
                "UPDATE provider_batch SET state = 'creating', requests = ?2, sent_at = ?3, polls = 0 WHERE id = ?1",
                [.integer(id), .integer(requests), .integer(now.timestamp.milliseconds)])
        case .enter(let step): try enter(step, id)
        case .countMiss:
            _ = try connection.run(
                "UPDATE provider_batch SET polls = polls + 1 WHERE id = ?1", [.integer(id)])
        case .rejectID:
            // One that has no name is not away.
            _ = try connection.run(
                """
                UPDATE provider_batch
                SET rejected_ids = rejected_ids || ' ' || provider_id, provider_id = NULL, state = 'creating', polls = 0
                WHERE id = ?1 AND provider_id IS NOT NULL
                """, [.integer(id)])
        case .split(let token, let job): try split(id, token: token, from: job)
        case .own(let worker):
            _ = try connection.run(
                "UPDATE provider_batch SET owner_id = ?2 WHERE id = ?1",
                [.integer(id), .integer(worker.value)])
        case .refreshDeadline: try refreshDeadline(of: id)
        case .end:
            _ = try connection.run(
                "UPDATE provider_batch SET state = 'ended', ended_at = ?2 WHERE id = ?1",
                [.integer(id), .integer(now.timestamp.milliseconds)])
        }
    }

    private func enter(_ step: BatchStep, _ id: Int64) throws {
        _ = try connection.run(
            """
            UPDATE provider_batch
            SET state = ?2, poll_boot = ?3, poll_at = ?4, provider_id = coalesce(?5, provider_id), error = ?6,
                failures = CASE WHEN ?6 IS NULL THEN 0 ELSE failures + 1 END, owner_id = NULL
            WHERE id = ?1
            """,
            [
                .integer(id), .text(step.state.rawValue), .integer(now.moment.epoch),
                .integer((now.moment + step.after).milliseconds), .text(step.providerID),
                .text(step.error),
            ])
    }

    private func split(_ id: Int64, token: String, from job: Int64) throws {
        _ = try connection.run(
            """
            INSERT INTO provider_batch (route_id, deadline_class, token, state, bytes, created_at, soonest_deadline, recall_at)
            SELECT route_id, deadline_class, ?2, 'sealed', bytes, created_at, soonest_deadline, recall_at
            FROM provider_batch
            WHERE id = ?1
            """, [.integer(id), .text(token)])
        _ = try connection.run(
            "UPDATE attempt SET provider_batch_id = ?2 WHERE provider_batch_id = ?1 AND status = 'open' AND job_id >= ?3",
            [.integer(id), .integer(connection.lastInsertRowID), .integer(job)])
    }

    private func refreshDeadline(of id: Int64) throws {
        _ = try connection.run(
            """
            UPDATE provider_batch
            SET soonest_deadline = (
                SELECT min(job.deadline)
                FROM attempt
                JOIN job ON job.id = attempt.job_id
                WHERE attempt.provider_batch_id = ?1 AND attempt.status = 'open' AND job.state = 'running'
                    AND job.attempt = attempt.number
            )
            WHERE id = ?1
            """, [.integer(id)])
    }
}
