import Jobs
import SQLite
import StoreRules

/// Reads what settlements of one operation need: each shared row once.
final class SettleLoader {
    private let context: WriteContext
    var rowCache = RowCache()
    private var someKeyIsRefused: Bool?
    private var connection: Connection { context.connection }

    init(_ context: WriteContext) {
        self.context = context
    }

    /// Nil if there is no such attempt.
    func snapshot(_ key: AttemptKey) throws -> SettleSnapshot? {
        guard let (attempt, job) = try AttemptWithJob.find(key, connection) else { return nil }
        return try snapshot(attempt, job)
    }

    func snapshot(_ attempt: AttemptRecord) throws -> SettleSnapshot? {
        try JobRecord.find(attempt.job, connection).map { try snapshot(attempt, $0) }
    }

    private func snapshot(_ attempt: AttemptRecord, _ job: JobRecord) throws -> SettleSnapshot {
        if rowCache.routes[attempt.route] == nil, let route = try RouteState.load(attempt.route, connection) {
            rowCache.load(route)
        }
        if rowCache.queues[attempt.queue] == nil, let queue = try QueueState.load(attempt.queue, connection) {
            rowCache.load(queue)
        }
        try load(windows: attempt.windows)
        var snapshot = SettleSnapshot(attempt: attempt, job: job)
        snapshot.routeName = rowCache.routes[attempt.route]?.key.name ?? ""
        return snapshot
    }

    func load(windows: [Int64]) throws {
        for id in windows where rowCache.windows[id] == nil {
            if let window = try BudgetWindow.load(id, connection) { rowCache.load(window) }
        }
    }

    /// What the settlement needs besides.
    func complete(_ snapshot: inout SettleSnapshot, for settlement: Settlement) throws {
        let (attempt, job) = (snapshot.attempt, snapshot.job)
        let needs = SettleNeeds(
            settlement, attempt, job, context.settings.rules, someKeyIsRefused: try aKeyIsRefused())
        if needs.credential { snapshot.credential = try credential(of: attempt) }
        if needs.home { snapshot.home = try RouteState.load(attempt.home, connection)?.key }
        if let failure = needs.check { snapshot.check = try check(of: job, failure) }
        if let prefix = needs.prefix {
            snapshot.wroteItsPrefix = try PromptCache.isWritten(prefix, by: attempt, connection)
        }
        if needs.otherFailures { snapshot.otherFailures = try otherFailures(than: attempt) }
    }

    func note(_ delta: Delta) {
        let refuses = delta.changes.contains { change in
            if case .credential(let key) = change { return key.gate.state != .open }
            return false
        }
        if refuses { someKeyIsRefused = true }
    }

    /// Whether some provider refuses a key; read once for all that are closed together.
    private func aKeyIsRefused() throws -> Bool {
        if let someKeyIsRefused { return someKeyIsRefused }
        let found = try CredentialState.anyIsRefused(connection)
        someKeyIsRefused = found
        return found
    }

    private func credential(
        of attempt: AttemptRecord
    ) throws -> (state: CredentialState, workers: [String])? {
        guard let service = rowCache.routes[attempt.route]?.key.service,
            let key = try CredentialState.of(attempt, service, connection)
        else { return nil }
        return (key, try key.workers(connection))
    }

    private func check(of job: JobRecord, _ failure: CheckFailure) throws -> CheckSnapshot? {
        guard let sent = try SentRequest.load(job.id, connection),
            let (rules, routes) = try connection.queryOne(
                "SELECT rules, routes FROM job_check WHERE job_id = ?1", [.integer(job.id)],
                { row in (row.blob(0), row.text(1)) })
        else { return nil }
        let ids = routes.split(separator: ",").compactMap { Int64($0) }
        guard let route = try CheckSnapshot.escalation(failure, rules: rules, routes: ids),
            let key = try RouteState.load(route, connection)?.key
        else { return CheckSnapshot(sent: sent, escalation: nil) }
        var place = job.place
        place.budget = try LaneBudget.load(connection).name(of: job.tags)
        place.move(
            to: route, ofTheSameService: try Lanes.sameService(job.place.route, route, connection))
        return CheckSnapshot(sent: sent, escalation: .init(model: key.model, place: place))
    }

    private func otherFailures(than attempt: AttemptRecord) throws -> [SettleSnapshot.RouteFailure] {
        try connection.query(
            """
            SELECT route.provider || '/' || route.model, attempt.error, max(attempt.number)
            FROM attempt
            JOIN route ON route.id = attempt.route_id
            WHERE attempt.job_id = ?1 AND attempt.route_id <> ?2 AND attempt.status = 'settled'
            GROUP BY attempt.route_id
            ORDER BY max(attempt.number)
            """, [.integer(attempt.job), .integer(attempt.route)]
        ) { row in
            SettleSnapshot.RouteFailure(
                route: row.text(0), error: row.isNull(1) ? nil : ErrorText.read(row.blob(1)))
        }
    }
}
