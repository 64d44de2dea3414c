import Jobs
import SQLite

/// Whether a service has somebody who calls it.
enum ServiceCoverage {
    /// No worker runs at all.
    case nobody
    /// Workers run, but none that calls this service.
    case others
    case served

    static func note(
        _ services: [ServiceKey], _ fingerprints: [ServiceKey: String], of worker: WorkerID,
        _ connection: Connection
    ) throws {
        for service in Set(services) {
            let key = try fingerprints[service].map { try CredentialRow.intern($0, of: service, connection) }
            _ = try connection.run(
                """
                INSERT INTO worker_service (worker_id, provider, endpoint, credential, simulated, credential_id)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                """,
                [
                    .integer(worker.value), .text(service.provider), .text(service.endpoint),
                    .text(service.credential), .bool(service.simulated), .integer(key),
                ])
        }
    }

    static func of(_ service: ServiceKey, now: Moment, _ connection: Connection) throws -> ServiceCoverage {
        // A worker that did not say what it calls is believed to call everything.
        let serving = try connection.query(
            """
            SELECT EXISTS (
                    SELECT 1
                    FROM worker_service
                    WHERE worker_id = worker.id AND provider = ?3 AND endpoint = ?4 AND credential = ?5
                        AND simulated = ?6
                )
                OR NOT EXISTS (SELECT 1 FROM worker_service WHERE worker_id = worker.id)
            FROM worker
            WHERE stopped = 0 AND is_interactive = 0 AND seen_boot = ?1 AND seen_moment > ?2
            """,
            [
                .integer(now.boot), .integer(now.milliseconds - WaitReasonResolver.workerPatience),
                .text(service.provider),
                .text(service.endpoint), .text(service.credential), .bool(service.simulated),
            ]
        ) { row in row.bool(0) }
        return serving.isEmpty ? .nobody : serving.contains(true) ? .served : .others
    }
}

extension RouteKey {
    /// What a job says that waits for a service which nobody calls.
    var orphanWords: String {
        let credential = service.credential.isEmpty ? "" : " with \(service.credential)"
        return """
            no worker that runs calls \(service.provider) at \(service.endpoint)\(credential): start one that does, or \
            move its jobs with `renga retry --model \(model) --set model=\(model)`
            """
    }
}
