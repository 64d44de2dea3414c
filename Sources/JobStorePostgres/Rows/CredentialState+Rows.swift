import Jobs
import Postgres
import StoreRules

extension CredentialState {
    static let columns = """
        credential.id, credential.provider, credential.endpoint, credential.name, credential.simulated,
        credential.refused, credential.until_at, credential.closed_at, credential.trips
        """

    static func intern(_ fingerprint: String, of service: ServiceKey, _ context: WriteContext) throws -> Int64
    {
        let values: [Value] = service.values + [.text(fingerprint)]
        if let id = try context.queryOne(.findCredential, values, { row in try row.int64(0) }) { return id }
        return try context.queryOne(.insertCredential, values) { row in try row.int64(0) } ?? 0
    }

    /// Keys that no worker has any more.
    static func forgetUnused(_ context: WriteContext) { context.run(.forgetCredentials) }

    /// Those of a worker's keys that are refused, by their services.
    static func refused(of worker: WorkerID) -> Call { Call(.refusedKeys, [.integer(worker.value)]) }

    static func read(_ rows: Rows) throws -> [ServiceKey: CredentialState] {
        let keys = try rows.map { row in try CredentialState(row, from: 0) }
        return Dictionary(keys.map { ($0.service, $0) }) { first, _ in first }
    }

    static func call(_ ids: [Int64]) -> Call { Call(.credentialsByID, [.integerArray(ids)]) }

    static func anyIsRefused(_ access: Access) throws -> Bool {
        try access.query(.anyRefusedKey).count > 0
    }

    /// The key that an open attempt was called with; nil if its worker said nothing of it.
    static func of(_ attempt: AttemptRecord, _ service: ServiceKey, _ access: Access) throws
        -> CredentialState?
    {
        try access.queryOne(
            .keyOfAttempt, [.integer(attempt.job), .integer(attempt.number)] + service.values
        ) { row in try CredentialState(row, from: 0) }
    }

    init(_ row: Row, from first: Int) throws {
        let service = ServiceKey(
            provider: try row.text(first + 1), endpoint: try row.text(first + 2),
            credential: try row.text(first + 3), simulated: try row.bool(first + 4))
        let gate = RouteGate(
            state: try row.bool(first + 5) ? .credential : .open, until: try row.momentOrNil(first + 6),
            closedAt: try row.momentOrNil(first + 7), trips: try row.int(first + 8))
        self.init(id: try row.int64(first), service: service, gate: gate)
    }

    func save(_ context: WriteContext) {
        context.run(
            .saveCredential,
            [
                .integer(id), .bool(gate.state != .open), .integer(gate.until?.milliseconds),
                .integer(gate.closedAt?.milliseconds), .integer(gate.trips),
            ])
    }

    /// A person says that the route is well: the next call tries each of its keys, and a refusal sets that key aside again.
    static func acceptAgain(of service: ServiceKey, _ context: WriteContext) {
        context.run(.acceptCredentials, service.values)
    }

    /// The names of those that have the key.
    func workers(_ access: Access) throws -> [String] {
        try access.query(.workersWithKey, [.integer(id)]).map { row in try row.text(0) }
    }
}

extension KeyHolder {
    /// The workers that live and have a key of the service; none if no key of any service is refused.
    ///
    /// `owner` is the serving process in whose interactive lane a job is.
    static func all(
        of service: ServiceKey, owner: Int64?, now: Moment, _ access: Access
    ) throws -> [KeyHolder] {
        try access.query(.keyHolders, service.values + WorkerLiveness.values(now) + [.integer(owner)])
            .map { row in
                KeyHolder(
                    worker: try row.text(0),
                    key: try row.int64OrNil(1) == nil ? nil : try CredentialState(row, from: 1))
            }
    }

    /// What each worker's refused keys need, by the workers' numbers.
    static func remedies(_ access: Access) throws -> [Int64: [String]] {
        try access.query(.refusals).reduce(into: [:]) { remedies, row in
            let holder = KeyHolder(worker: try row.text(1), key: try CredentialState(row, from: 2))
            if let remedy = holder.remedy { remedies[try row.int64(0), default: []].append(remedy) }
        }
    }
}

extension ServiceKey {
    var values: [Value] { [.text(provider), .text(endpoint), .text(credential), .bool(simulated)] }
}

extension Statement {
    fileprivate static let findCredential = Statement(
        "find-credential",
        """
        SELECT id
        FROM credential
        WHERE provider = $1::text AND endpoint = $2::text AND name = $3::text AND simulated = $4::boolean
            AND fingerprint = $5::text
        """, .text, .text, .text, .bool, .text)
    fileprivate static let insertCredential = Statement(
        "insert-credential",
        """
        INSERT INTO credential (provider, endpoint, name, simulated, fingerprint)
        VALUES ($1::text, $2::text, $3::text, $4::boolean, $5::text)
        RETURNING id
        """, .text, .text, .text, .bool, .text)
    fileprivate static let forgetCredentials = Statement(
        "forget-credentials",
        """
        DELETE FROM credential
        WHERE NOT EXISTS (SELECT 1 FROM worker_service WHERE worker_service.credential_id = credential.id)
        """)
    fileprivate static let refusedKeys = Statement(
        "refused-keys",
        assembled: """
            SELECT \(CredentialState.columns)
            FROM credential
            JOIN worker_service ON worker_service.credential_id = credential.id
            WHERE credential.refused AND worker_service.worker_id = $1::bigint
            """, [.bigint], isKept: true)
    fileprivate static let credentialsByID = Statement(
        "credentials-by-id",
        assembled: "SELECT \(CredentialState.columns) FROM credential WHERE id = ANY ($1::bigint[])",
        [.bigints], isKept: true)
    static let anyRefusedKey = Statement(
        "any-refused-key", "SELECT id FROM credential WHERE refused LIMIT 1")
    fileprivate static let keyOfAttempt = Statement(
        "key-of-attempt",
        assembled: """
            SELECT \(CredentialState.columns)
            FROM flight
            JOIN worker_service ON worker_service.worker_id = flight.worker_id
            JOIN credential ON credential.id = worker_service.credential_id
            WHERE flight.job_id = $1::bigint AND flight.number = $2::bigint AND worker_service.provider = $3::text
                AND worker_service.endpoint = $4::text AND worker_service.credential = $5::text
                AND worker_service.simulated = $6::boolean
            """, [.bigint, .bigint, .text, .text, .text, .bool], isKept: true)
    fileprivate static let saveCredential = Statement(
        "save-credential",
        """
        UPDATE credential
        SET refused = $2::boolean, until_at = $3::bigint, closed_at = $4::bigint, trips = $5::bigint
        WHERE id = $1::bigint
        """, .bigint, .bool, .bigint, .bigint, .bigint)
    fileprivate static let acceptCredentials = Statement(
        "accept-credentials",
        """
        UPDATE credential
        SET refused = false, until_at = NULL, closed_at = NULL, trips = 0
        WHERE provider = $1::text AND endpoint = $2::text AND name = $3::text AND simulated = $4::boolean AND refused
        """, .text, .text, .text, .bool)
    fileprivate static let workersWithKey = Statement(
        "workers-with-key",
        """
        SELECT worker.name
        FROM worker_service
        JOIN worker ON worker.id = worker_service.worker_id
        WHERE worker_service.credential_id = $1::bigint AND NOT worker.stopped
        ORDER BY worker.id DESC
        LIMIT 4
        """, .bigint)
    fileprivate static let keyHolders = Statement(
        "key-holders",
        assembled: """
            SELECT worker.name, \(CredentialState.columns)
            FROM worker
            JOIN worker_service ON worker_service.worker_id = worker.id
            LEFT JOIN credential ON credential.id = worker_service.credential_id
            WHERE worker_service.provider = $1::text AND worker_service.endpoint = $2::text
                AND worker_service.credential = $3::text AND worker_service.simulated = $4::boolean
                AND NOT worker.stopped AND worker.seen_at > $5::bigint
                AND (($6::bigint IS NULL AND NOT worker.is_interactive) OR worker.id = $6::bigint)
                AND EXISTS (SELECT 1 FROM credential AS any_key WHERE any_key.refused)
            ORDER BY worker.id
            """, [.text, .text, .text, .bool, .bigint, .bigint], isKept: true)
    fileprivate static let refusals = Statement(
        "refusals",
        assembled: """
            SELECT worker_service.worker_id, worker.name, \(CredentialState.columns)
            FROM credential
            JOIN worker_service ON worker_service.credential_id = credential.id
            JOIN worker ON worker.id = worker_service.worker_id
            WHERE credential.refused
            ORDER BY credential.id
            """, isKept: true)
}
