import Jobs
import SQLite
import StoreRules

/// Which services the workers call.
enum WorkerServices {
    static func note(
        _ services: [ServiceKey], _ fingerprints: [ServiceKey: String], of worker: WorkerID,
        _ connection: Connection
    ) throws {
        for service in Set(services) {
            let key = try fingerprints[service].map {
                try CredentialState.intern($0, of: service, connection)
            }
            _ = try connection.run(
                """
                INSERT INTO worker_service (worker_id, provider, endpoint, credential, simulated, credential_id)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                """, [.integer(worker.value)] + service.values + [.integer(key)])
        }
    }

    static func callers(
        of service: ServiceKey, now: Moment, _ connection: Connection
    ) throws -> [ServiceCaller] {
        try connection.query(
            """
            SELECT EXISTS (
                    SELECT 1
                    FROM worker_service
                    WHERE worker_id = worker.id AND provider = ?3 AND endpoint = ?4 AND credential = ?5
                        AND simulated = ?6
                ),
                NOT EXISTS (SELECT 1 FROM worker_service WHERE worker_id = worker.id)
            FROM worker
            WHERE stopped = 0 AND is_interactive = 0 AND seen_boot = ?1 AND seen_moment > ?2
            """, WorkerLiveness.values(now) + service.values
        ) { row in ServiceCaller(namesIt: row.bool(0), namesNone: row.bool(1)) }
    }
}

extension WorkerLiveness {
    /// The boot and the moment after which a worker that lives was heard of.
    static func values(_ now: Moment) -> [Value] {
        [.integer(now.epoch), .integer(now.milliseconds - patience)]
    }
}
