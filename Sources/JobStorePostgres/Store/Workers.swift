package import Jobs
import Postgres
import StoreRules
import Synchronization

extension PostgresJobStore {
    /// Rows of workers that stopped or were not heard of for so long are forgotten.
    private static let forgetAfter: Milliseconds = 86_400_000

    package func register(_ worker: NewWorker) async throws -> WorkerID {
        let id = try await write { context in
            let now = context.now.moment.milliseconds
            context.run(.forgetWorkers, [.integer(now - Self.forgetAfter)])
            let id = WorkerID(try context.number(.insertWorker, worker.values(context)))
            CredentialState.forgetUnused(context)
            try WorkerServices.note(worker.services ?? [], worker.fingerprints, of: id, context)
            return id
        }
        registered.withLock { $0[id] = worker }
        return id
    }

    package func unregister(_ worker: WorkerID) async throws {
        registered.withLock { $0[worker] = nil }
        try await write(needing: .finishes) { context in
            context.run(
                .stopWorker, [.integer(worker.value), .integer(context.now.moment.milliseconds)])
        }
    }

    package func renew(
        _ worker: WorkerID, attempts: [AttemptKey], lease: Milliseconds
    ) async throws -> [AttemptKey] {
        let known = registered.withLock { $0[worker] }
        return try await write(.beside, needing: .finishes) { context in
            let moment = context.now.moment
            let seen = Call(
                .seeWorker,
                [
                    .integer(worker.value), .integer(moment.milliseconds),
                    .text(context.settings.configuration),
                ])
            let renewed = Call(
                .renewLeases,
                [
                    .integer(worker.value), .integer((moment + lease).milliseconds),
                    .integers(attempts.map(\.job.value)), .integers(attempts.map(\.number)),
                ])
            let answers = try context.access.query([seen, renewed])
            if answers[0].isEmpty, let known { try known.restore(as: worker, context) }
            let held = Set(try answers[1].map { row in try AttemptKey(row) })
            return attempts.filter { !held.contains($0) }
        }
    }

    package func revoked(_ worker: WorkerID) async throws -> [AttemptKey] {
        try await read { access in
            try access.query(.revokedAttempts, [.integer(worker.value)]).map { row in try AttemptKey(row) }
        }
    }
}

extension NewWorker {
    fileprivate func values(_ context: WriteContext) -> [Value] {
        let now = context.now
        return [
            .text(name), .text(host), .integer(Int64(processID)), .integer(slots),
            .integer(now.timestamp.milliseconds), .integer(now.moment.milliseconds),
            .bool(partition == .interactive), .text(context.settings.configuration),
        ]
    }

    /// One that was not heard of for a day may have been forgotten meanwhile: its machine slept.
    fileprivate func restore(as id: WorkerID, _ context: WriteContext) throws {
        context.run(.restoreWorker, values(context) + [.integer(id.value)])
        try WorkerServices.note(services ?? [], fingerprints, of: id, context)
    }
}

extension AttemptKey {
    fileprivate init(_ row: Row) throws {
        self.init(job: JobID(try row.int64(0)), number: try row.int(1))
    }
}

extension Statement {
    fileprivate static let forgetWorkers = Statement(
        "forget-workers",
        """
        DELETE FROM worker
        WHERE seen_at < $1::bigint AND NOT EXISTS (SELECT 1 FROM flight WHERE flight.worker_id = worker.id)
        """, .bigint)
    fileprivate static let insertWorker = Statement(
        "insert-worker",
        assembled: """
            INSERT INTO worker (name, host, process_id, slots, started_at, seen_at, is_interactive, superseded)
            VALUES (
                $1::text, $2::text, $3::bigint, $4::bigint, $5::bigint, $6::bigint, $7::boolean,
                \(ConfigurationHistory.isSuperseded("$8::text"))
            )
            RETURNING id
            """, [.text, .text, .bigint, .bigint, .bigint, .bigint, .bool, .text], isKept: true)
    fileprivate static let restoreWorker = Statement(
        "restore-worker",
        assembled: """
            INSERT INTO worker (name, host, process_id, slots, started_at, seen_at, is_interactive, superseded, id)
            VALUES (
                $1::text, $2::text, $3::bigint, $4::bigint, $5::bigint, $6::bigint, $7::boolean,
                \(ConfigurationHistory.isSuperseded("$8::text")), $9::bigint
            )
            """, [.text, .text, .bigint, .bigint, .bigint, .bigint, .bool, .text, .bigint], isKept: true)
    fileprivate static let stopWorker = Statement(
        "stop-worker", "UPDATE worker SET stopped = true, seen_at = $2::bigint WHERE id = $1::bigint",
        .bigint,
        .bigint)

    /// It lives, and says whether it goes by what is in force.
    fileprivate static let seeWorker = Statement(
        "see-worker",
        assembled: """
            UPDATE worker
            SET seen_at = $2::bigint, superseded = \(ConfigurationHistory.isSuperseded("$3::text"))
            WHERE id = $1::bigint
            RETURNING id
            """, [.bigint, .bigint, .text], isKept: true)

    // A lease is lengthened only while the attempt still holds its job.
    fileprivate static let renewLeases = Statement(
        "renew-leases",
        """
        UPDATE flight
        SET lease_until = $2::bigint
        FROM unnest($3::bigint[], $4::bigint[]) AS held (job_id, number)
        WHERE flight.job_id = held.job_id AND flight.number = held.number AND flight.worker_id = $1::bigint AND EXISTS (
            SELECT 1
            FROM running
            WHERE running.job_id = flight.job_id AND running.state = 'running' AND running.attempt = flight.number
        )
        RETURNING flight.job_id, flight.number
        """, .bigint, .bigint, .bigints, .bigints)
    fileprivate static let revokedAttempts = Statement(
        "revoked-attempts",
        """
        SELECT flight.job_id, flight.number
        FROM flight
        WHERE flight.worker_id = $1::bigint AND (
            -- Not NOT EXISTS: that would read all running jobs.
            SELECT true
            FROM running
            WHERE running.job_id = flight.job_id AND running.state = 'running' AND running.attempt = flight.number
        ) IS NOT TRUE
        ORDER BY flight.job_id, flight.number
        """, .bigint)
}
