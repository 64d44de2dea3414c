import Jobs
import Postgres
import StoreRules

/// Which services the workers call.
enum WorkerServices {
    static func note(
        _ services: [ServiceKey], _ fingerprints: [ServiceKey: String], of worker: WorkerID,
        _ context: WriteContext
    ) throws {
        for service in Set(services) {
            let key = try fingerprints[service].map {
                try CredentialState.intern($0, of: service, context)
            }
            context.run(
                .insertWorkerService, [.integer(worker.value)] + service.values + [.integer(key)])
        }
    }

    static func callers(of service: ServiceKey, now: Moment, _ access: Access) throws -> [ServiceCaller] {
        try access.query(.callers, WorkerLiveness.values(now) + service.values).map { row in
            ServiceCaller(namesIt: try row.bool(0), namesNone: try row.bool(1))
        }
    }
}

extension WorkerLiveness {
    /// The time after which a worker that lives was heard of.
    static func values(_ now: Moment) -> [Value] { [.integer(now.milliseconds - patience)] }
}

extension Statement {
    fileprivate static let insertWorkerService = Statement(
        "insert-worker-service",
        """
        INSERT INTO worker_service (worker_id, provider, endpoint, credential, simulated, credential_id)
        VALUES ($1::bigint, $2::text, $3::text, $4::text, $5::boolean, $6::bigint)
        """, .bigint, .text, .text, .text, .bool, .bigint)
    fileprivate static let callers = Statement(
        "callers",
        """
        SELECT EXISTS (
                SELECT 1
                FROM worker_service
                WHERE worker_id = worker.id AND provider = $2::text AND endpoint = $3::text AND credential = $4::text
                    AND simulated = $5::boolean
            ),
            NOT EXISTS (SELECT 1 FROM worker_service WHERE worker_id = worker.id)
        FROM worker
        WHERE NOT stopped AND NOT is_interactive AND seen_at > $1::bigint
        """, .bigint, .text, .text, .text, .bool)
}
