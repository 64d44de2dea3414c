import Jobs
import SQLite
import StoreRules

extension KeyHolder {
    /// The workers that live and have a key of the service; none if no key of any service is refused.
    ///
    /// `owner` is the serving process in whose interactive lane a job is.
    static func all(
        of service: ServiceKey, owner: Int64?, now: Moment, _ connection: Connection
    ) throws -> [KeyHolder] {
        guard try CredentialState.anyIsRefused(connection) else { return [] }
        return try connection.query(
            holding, service.values + WorkerLiveness.values(now) + [.integer(owner)]
        ) { row in
            KeyHolder(worker: row.text(0), key: row.isNull(1) ? nil : CredentialState(row, from: 1))
        }
    }

    private static let holding = SQL(
        """
        SELECT worker.name, \(CredentialState.columns)
        FROM worker
        JOIN worker_service ON worker_service.worker_id = worker.id
        LEFT JOIN credential ON credential.id = worker_service.credential_id
        WHERE worker_service.provider = ?1 AND worker_service.endpoint = ?2 AND worker_service.credential = ?3
            AND worker_service.simulated = ?4 AND worker.stopped = 0 AND worker.seen_boot = ?5
            AND worker.seen_moment > ?6
            AND ((?7 IS NULL AND worker.is_interactive = 0) OR worker.id = ?7)
        ORDER BY worker.id
        """)

    /// What each worker's refused keys need, by the workers' numbers.
    static func remedies(_ connection: Connection) throws -> [Int64: [String]] {
        guard try CredentialState.anyIsRefused(connection) else { return [:] }
        let rows = try connection.query(refusals) { row in
            (row.int64(0), KeyHolder(worker: row.text(1), key: CredentialState(row, from: 2)).remedy)
        }
        return rows.reduce(into: [:]) { remedies, row in
            if let remedy = row.1 { remedies[row.0, default: []].append(remedy) }
        }
    }

    private static let refusals = SQL(
        """
        SELECT worker_service.worker_id, worker.name, \(CredentialState.columns)
        FROM credential
        JOIN worker_service ON worker_service.credential_id = credential.id
        JOIN worker ON worker.id = worker_service.worker_id
        WHERE credential.refused = 1
        ORDER BY credential.id
        """)
}

extension CredentialState {
    /// What jobs wait for whose service's keys are refused, all of them.
    static func closure(
        of service: ServiceKey, owner: Int64?, _ now: Now, _ connection: Connection
    ) throws -> WaitingFor? {
        try KeyHolder.all(of: service, owner: owner, now: now.moment, connection).closure(
            of: service, at: now)
    }

    /// The names of those that have the key.
    func workers(_ connection: Connection) throws -> [String] {
        try connection.query(
            """
            SELECT worker.name
            FROM worker_service
            JOIN worker ON worker.id = worker_service.worker_id
            WHERE worker_service.credential_id = ?1 AND worker.stopped = 0
            ORDER BY worker.id DESC
            LIMIT 4
            """, [.integer(id)]
        ) { row in row.text(0) }
    }
}
