import Jobs
import SQLite

extension CredentialRow {
    /// What a job waits for where everybody who would call for it has a key that is refused; nil where somebody has another.
    ///
    /// `owner` is the serving process whose own line the job stands in.
    static func closure(
        of service: ServiceKey, owner: Int64?, _ now: Now, _ connection: Connection
    ) throws -> WaitingFor? {
        guard try anyIsRefused(connection) else { return nil }
        let holders = try holders(of: service, owner: owner, now: now.moment, connection)
        guard !holders.isEmpty, holders.allSatisfy({ $0.key?.gate.state == .credential }) else { return nil }
        let waits = holders.compactMap { holder -> Milliseconds? in
            guard case .refused(_, _, let after?) = holder.key?.closure(at: now.moment) else { return nil }
            return after
        }
        return WaitingFor(
            reason: .pause, detail: service.refusedWords(of: holders.map(\.worker)),
            until: waits.min().map { now.timestamp + $0 })
    }

    private static func holders(
        of service: ServiceKey, owner: Int64?, now: Moment, _ connection: Connection
    ) throws -> [(worker: String, key: CredentialRow?)] {
        try connection.query(
            holding,
            service.values + [
                .integer(now.boot), .integer(now.milliseconds - WaitReasonResolver.workerPatience),
                .integer(owner),
            ]
        ) { row in (row.text(0), row.isNull(1) ? nil : CredentialRow(row, from: 1)) }
    }

    private static let holding = SQL(
        """
        SELECT worker.name, \(columns)
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
    static func cures(_ connection: Connection) throws -> [Int64: [String]] {
        guard try anyIsRefused(connection) else { return [:] }
        let rows = try connection.query(refusals) { row in
            (row.int64(0), CredentialRow(row, from: 2).service.refusedWords(of: [row.text(1)]))
        }
        return rows.reduce(into: [:]) { cures, row in cures[row.0, default: []].append(row.1) }
    }

    private static let refusals = SQL(
        """
        SELECT worker_service.worker_id, worker.name, \(columns)
        FROM credential
        JOIN worker_service ON worker_service.credential_id = credential.id
        JOIN worker ON worker.id = worker_service.worker_id
        WHERE credential.refused = 1
        ORDER BY credential.id
        """)

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

/// What an attempt's end says of the key that it was called with.
struct CredentialSettlement {
    let context: WriteContext
    let ledgers: RowCache
    private var connection: Connection { context.connection }

    init(_ context: WriteContext, _ ledgers: RowCache) {
        self.context = context
        self.ledgers = ledgers
    }

    /// What is left for the route: a refused key is the affair of those who have it, where they said which.
    func close(_ attempt: StoredAttempt, _ service: ServiceKey, _ event: RouteEvent) throws -> RouteEvent {
        guard try event == .unauthorized || ledgers.aKeyIsRefused(),
            var key = try CredentialRow.of(attempt, service, connection)
        else { return event }
        let before = key.gate
        key.gate.apply(event.onKey, claimedAt: attempt.openedAt, now: context.now, using: &context.random)
        guard key.gate != before else { return event == .unauthorized ? .neutral : event }
        try key.save(connection)
        if event == .unauthorized { ledgers.noteRefusedKey() }
        if key.gate.state != before.state { try tell(of: key) }
        return event == .unauthorized ? .neutral : event
    }

    private func tell(of key: CredentialRow) throws {
        let workers = try key.workers(connection)
        let name = "\(key.service.provider) \(key.service.credential)"
        let isOpen = key.gate.state == .open
        context.noticed(
            StateNotice(
                .credential, name, state: isOpen ? "accepted" : "refused",
                cause: isOpen
                    ? "the provider accepts the key again"
                    : "the provider refuses the key (401) of \(workers.joined(separator: ", "))",
                cure: isOpen ? "" : "correct \(key.service.credential) and restart these workers",
                isEnd: isOpen))
    }
}

extension RouteEvent {
    /// What it says of the key: whatever is answered but 401 was asked with a key that is accepted.
    fileprivate var onKey: RouteEvent {
        switch self {
        case .unauthorized: .unauthorized
        case .unavailable, .neutral: .neutral
        case .succeeded, .rateLimited, .overloaded, .forbidden, .spendCapped, .refused: .succeeded
        }
    }
}
