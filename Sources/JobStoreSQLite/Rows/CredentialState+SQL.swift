import Jobs
import SQLite
import StoreRules

extension CredentialState {
    static func intern(_ fingerprint: String, of service: ServiceKey, _ connection: Connection) throws
        -> Int64
    {
        let values: [Value] = service.values + [.text(fingerprint)]
        if let id = try connection.queryOne(
            """
            SELECT id
            FROM credential
            WHERE provider = ?1 AND endpoint = ?2 AND name = ?3 AND simulated = ?4 AND fingerprint = ?5
            """, values, { row in row.int64(0) })
        {
            return id
        }
        _ = try connection.run(
            """
            INSERT INTO credential (provider, endpoint, name, simulated, fingerprint)
            VALUES (?1, ?2, ?3, ?4, ?5)
            """, values)
        return connection.lastInsertRowID
    }

    /// Keys that no worker has any more.
    static func forgetUnused(_ connection: Connection) throws {
        _ = try connection.run(
            """
            DELETE FROM credential
            WHERE NOT EXISTS (SELECT 1 FROM worker_service WHERE worker_service.credential_id = credential.id)
            """)
    }

    static let columns = """
        credential.id, credential.provider, credential.endpoint, credential.name, credential.simulated,
        credential.refused, credential.until_boot, credential.until_at, credential.closed_boot, credential.closed_at,
        credential.trips
        """

    /// Those of a worker's keys that are refused, by their services.
    static func refused(of worker: WorkerID, _ connection: Connection) throws -> [ServiceKey: CredentialState]
    {
        guard try anyIsRefused(connection) else { return [:] }
        let rows = try connection.query(refusedOfWorker, [.integer(worker.value)]) { row in
            CredentialState(row)
        }
        return Dictionary(rows.map { ($0.service, $0) }) { first, _ in first }
    }

    static func anyIsRefused(_ connection: Connection) throws -> Bool {
        try connection.queryOne(
            "SELECT 1 FROM credential WHERE refused = 1 LIMIT 1", [], { row in row.int(0) }) != nil
    }

    private static let refusedOfWorker = SQL(
        """
        SELECT \(columns)
        FROM credential
        JOIN worker_service ON worker_service.credential_id = credential.id
        WHERE credential.refused = 1 AND worker_service.worker_id = ?1
        """)

    /// The key that an attempt was called with; nil if its worker said nothing of it.
    static func of(_ attempt: AttemptRecord, _ service: ServiceKey, _ connection: Connection) throws
        -> CredentialState?
    {
        try connection.queryOne(
            ofAttempt, [.integer(attempt.job), .integer(attempt.number)] + service.values,
            { row in CredentialState(row) })
    }

    private static let ofAttempt = SQL(
        """
        SELECT \(columns)
        FROM attempt
        JOIN worker_service ON worker_service.worker_id = attempt.worker_id
        JOIN credential ON credential.id = worker_service.credential_id
        WHERE attempt.job_id = ?1 AND attempt.number = ?2 AND worker_service.provider = ?3
            AND worker_service.endpoint = ?4 AND worker_service.credential = ?5 AND worker_service.simulated = ?6
        """)

    init(_ row: borrowing Row, from first: Int = 0) {
        let service = ServiceKey(
            provider: row.text(first + 1), endpoint: row.text(first + 2), credential: row.text(first + 3),
            simulated: row.bool(first + 4))
        let gate = RouteGate(
            state: row.bool(first + 5) ? .credential : .open,
            until: RouteState.moment(row, first + 6, first + 7),
            closedAt: RouteState.moment(row, first + 8, first + 9), trips: row.int(first + 10))
        self.init(id: row.int64(first), service: service, gate: gate)
    }

    func save(_ connection: Connection) throws {
        _ = try connection.run(
            """
            UPDATE credential
            SET refused = ?2, until_boot = ?3, until_at = ?4, closed_boot = ?5, closed_at = ?6, trips = ?7
            WHERE id = ?1
            """,
            [
                .integer(id), .bool(gate.state != .open), .integer(gate.until?.epoch),
                .integer(gate.until?.milliseconds), .integer(gate.closedAt?.epoch),
                .integer(gate.closedAt?.milliseconds), .integer(gate.trips),
            ])
    }

    /// A person says that the route is well: the next call tries each of its keys, and a refusal sets that key aside again.
    static func acceptAgain(of service: ServiceKey, _ connection: Connection) throws {
        _ = try connection.run(
            """
            UPDATE credential
            SET refused = 0, until_boot = NULL, until_at = NULL, closed_boot = NULL, closed_at = NULL, trips = 0
            WHERE provider = ?1 AND endpoint = ?2 AND name = ?3 AND simulated = ?4 AND refused = 1
            """, service.values)
    }

    mutating func probeSent(at now: Moment, _ connection: Connection) throws {
        gate.probeSent(at: now)
        try save(connection)
    }
}

extension ServiceKey {
    var values: [Value] { [.text(provider), .text(endpoint), .text(credential), .bool(simulated)] }
}
