package import Jobs
import SQLite
import StoreRules
import Synchronization

extension SQLiteJobStore {
    /// Rows of workers that stopped or were not heard of for so long are forgotten.
    private static let forgetAfter: Milliseconds = 86_400_000

    package func register(_ worker: NewWorker) async throws -> WorkerID {
        let id = try await write { context in
            let now = context.now
            let milliseconds = now.timestamp.milliseconds
            _ = try context.connection.run(
                """
                DELETE FROM worker
                WHERE (seen_boot <> ?1 OR seen_moment < ?2) AND seen_at < ?3 AND NOT EXISTS (
                    SELECT 1 FROM attempt WHERE attempt.worker_id = worker.id AND attempt.status = 'open'
                )
                """,
                [
                    .integer(now.moment.epoch), .integer(now.moment.milliseconds - Self.forgetAfter),
                    .integer(now.isCertain ? milliseconds - Self.forgetAfter : Int64.min),
                ])
            _ = try context.connection.run(
                """
                INSERT INTO worker (
                    name, host, process_id, slots, started_at, seen_at, seen_boot, seen_moment, is_interactive
                )
                VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8)
                """,
                [
                    .text(worker.name), .text(worker.host), .integer(Int64(worker.processID)),
                    .integer(worker.slots),
                    .integer(milliseconds), .integer(now.moment.epoch), .integer(now.moment.milliseconds),
                    .bool(worker.partition == .interactive),
                ])
            let id = WorkerID(context.connection.lastInsertRowID)
            try CredentialState.forgetUnused(context.connection)
            try WorkerServices.note(
                worker.services ?? [], worker.fingerprints, of: id, context.connection)
            try Self.note(id, context)
            return id
        }
        registered.withLock { $0[id] = worker }
        return id
    }

    /// What others should know of the process itself.
    private static func note(_ worker: WorkerID, _ context: WriteContext) throws {
        let isSuperseded = try !ConfigurationHistory.isInForce(
            context.settings.configuration, context.connection)
        _ = try context.connection.run(
            """
            UPDATE worker
            SET disagreement = ?2, superseded = ?3
            WHERE id = ?1 AND (disagreement <> ?2 OR superseded <> ?3)
            """, [.integer(worker.value), .integer(context.now.disagreement), .bool(isSuperseded)])
    }

    /// One that was not heard of for a day may have been forgotten meanwhile: its machine slept.
    private func restore(_ id: WorkerID, _ context: WriteContext) throws {
        guard let worker = registered.withLock({ $0[id] }) else { return }
        let now = context.now
        _ = try context.connection.run(
            """
            INSERT INTO worker (
                id, name, host, process_id, slots, started_at, seen_at, seen_boot, seen_moment, is_interactive
            )
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, ?9)
            """,
            [
                .integer(id.value), .text(worker.name), .text(worker.host),
                .integer(Int64(worker.processID)), .integer(worker.slots),
                .integer(now.timestamp.milliseconds), .integer(now.moment.epoch),
                .integer(now.moment.milliseconds), .bool(worker.partition == .interactive),
            ])
        try WorkerServices.note(
            worker.services ?? [], worker.fingerprints, of: id, context.connection)
    }

    package func unregister(_ worker: WorkerID) async throws {
        registered.withLock { $0[worker] = nil }
        try await write { context in
            _ = try context.connection.run(
                "UPDATE worker SET stopped = 1, seen_at = ?2 WHERE id = ?1",
                [.integer(worker.value), .integer(context.now.timestamp.milliseconds)])
        }
    }

    package func renew(
        _ worker: WorkerID, attempts: [AttemptKey], lease: Milliseconds
    ) async throws -> [AttemptKey] {
        try await write { context in
            let (connection, now) = (context.connection, context.now)
            let known = try connection.run(
                "UPDATE worker SET seen_at = ?2, seen_boot = ?3, seen_moment = ?4 WHERE id = ?1",
                [
                    .integer(worker.value), .integer(now.timestamp.milliseconds), .integer(now.moment.epoch),
                    .integer(now.moment.milliseconds),
                ])
            if known == 0 { try self.restore(worker, context) }
            try Self.note(worker, context)
            // A lease is lengthened only while the attempt still holds its job.
            return try attempts.filter { key in
                let renewed = try connection.run(
                    """
                    UPDATE attempt
                    SET lease_until = ?4
                    WHERE job_id = ?1 AND number = ?2 AND worker_id = ?3 AND status = 'open' AND EXISTS (
                        SELECT 1 FROM job WHERE job.id = ?1 AND job.state = 'running' AND job.attempt = ?2
                    )
                    """,
                    [
                        .integer(key.job.value), .integer(key.number), .integer(worker.value),
                        .integer((now.moment + lease).milliseconds),
                    ])
                return renewed == 0
            }
        }
    }

    package func revoked(_ worker: WorkerID) async throws -> [AttemptKey] {
        try await read { connection in
            try connection.query(
                """
                SELECT attempt.job_id, attempt.number
                FROM attempt
                JOIN job ON job.id = attempt.job_id
                WHERE attempt.worker_id = ?1 AND attempt.status = 'open'
                    AND (job.state <> 'running' OR job.attempt <> attempt.number)
                """, [.integer(worker.value)]
            ) { row in AttemptKey(job: JobID(row.int64(0)), number: row.int(1)) }
        }
    }
}
