import Jobs
import Postgres
import StoreRules

/// Reads what settlements of one operation need: attempts, jobs and what they share in one round trip.
final class SettleLoader {
    private let context: WriteContext
    var rowCache = RowCache()
    private var loaded: [AttemptKey: (attempt: AttemptRecord, job: JobRecord)] = [:]
    private var writers: Set<AttemptKey> = []
    private var someKeyIsRefused = false
    private var heard: SharedClosings.Heard?
    private var access: Access { context.access }

    init(_ context: WriteContext) {
        self.context = context
    }

    // MARK: At once

    /// What settlements ask.
    static func calls(_ keys: [AttemptKey]) -> [Call] {
        let wanted = values(keys)
        let jobs = Array(Set(keys.map(\.job.value))).sorted()
        return [
            Call(.settledAttempts, wanted), Call(.settledJobs, [.integerArray(jobs)]), Call(.anyRefusedKey),
            RouteState.call(of: wanted), PromptCache.writersCall(wanted), SharedClosings.Heard.call,
        ]
    }

    private static func values(_ keys: [AttemptKey]) -> [Value] {
        [.integers(keys.map(\.job.value)), .integers(keys.map(\.number))]
    }

    /// What settlements go by; `withSharedRows` also what closing an attempt changes for others.
    func load(_ keys: [AttemptKey], withSharedRows: Bool = false) throws {
        let wanted = Self.values(keys)
        var answers = context.asked
        context.asked = []
        if answers.isEmpty || withSharedRows {
            answers = try access.query(
                Self.calls(keys)
                    + (withSharedRows ? [BudgetWindow.call(of: wanted)] + QueueState.calls(of: wanted) : []))
        }
        try note(answers[0], jobs: answers[1])
        let heard = try SharedClosings.Heard(answers[5])
        self.heard = heard
        someKeyIsRefused = answers[2].count > 0 || heard.refusesKey
        for row in answers[3] { rowCache.load(try RouteState(row)) }
        writers = try PromptCache.writers(answers[4])
        guard withSharedRows else { return }
        for window in try BudgetWindow.read(answers[6]) { rowCache.load(window) }
        for queue in try QueueState.read(answers[7...]) { rowCache.load(queue) }
    }

    private func note(_ attempts: Rows, jobs: Rows) throws {
        var records: [Int64: JobRecord] = [:]
        for row in jobs {
            context.rows.load(try JobRow(row, from: 0))
            let job = try JobRecord(row, from: JobRow.columnCount)
            records[job.id] = job
        }
        for row in attempts {
            let attempt = try AttemptRecord(row)
            if attempt.status == .writtenOff { context.attempts.late.insert(attempt.key) }
            if let job = records[attempt.job] { loaded[attempt.key] = (attempt, job) }
        }
    }

    func load(windows: [Int64]) throws {
        let missing = Set(windows).filter { rowCache.windows[$0] == nil }.sorted()
        for window in try BudgetWindow.load(missing, access) { rowCache.load(window) }
    }

    // MARK: One by one

    /// The route of an attempt, with what settlements said that no claim has heard.
    func route(of attempt: AttemptRecord) -> RouteState? {
        let route = rowCache.routes[attempt.route]
        return route.map { heard?.adding(to: $0) ?? $0 }
    }

    func note(_ closing: SharedClosing) {
        heard?.note(closing)
        someKeyIsRefused = someKeyIsRefused || heard?.refusesKey == true
    }

    /// Nil if there is no such attempt.
    func snapshot(_ key: AttemptKey) -> SettleSnapshot? {
        guard let (attempt, job) = loaded[key] else { return nil }
        var snapshot = SettleSnapshot(attempt: attempt, job: job)
        snapshot.routeName = rowCache.routes[attempt.route]?.key.name ?? ""
        snapshot.wroteItsPrefix = writers.contains(key)
        return snapshot
    }

    /// What the settlement needs besides.
    func complete(_ snapshot: inout SettleSnapshot, for settlement: Settlement) throws {
        let (attempt, job) = (snapshot.attempt, snapshot.job)
        let needs = SettleNeeds(
            settlement, attempt, job, context.settings.rules, someKeyIsRefused: someKeyIsRefused)
        if needs.credential { snapshot.credential = try credential(of: attempt) }
        if needs.home { snapshot.home = try RouteState.load(attempt.home, access)?.key }
        if let failure = needs.check { snapshot.check = try check(of: job, failure) }
        snapshot.wroteItsPrefix = needs.prefix != nil && writers.contains(attempt.key)
        if needs.otherFailures { snapshot.otherFailures = try otherFailures(than: attempt) }
    }

    private func credential(
        of attempt: AttemptRecord
    ) throws -> (state: CredentialState, workers: [String])? {
        guard let service = rowCache.routes[attempt.route]?.key.service,
            let key = try CredentialState.of(attempt, service, access)
        else { return nil }
        return (key, try key.workers(access))
    }

    private func check(of job: JobRecord, _ failure: CheckFailure) throws -> CheckSnapshot? {
        guard let sent = try SentRequest.load(job.id, access),
            let (rules, routes) = try access.queryOne(
                .checkOfJob, [.integer(job.id)], { row in (try row.bytes(0), try row.text(1)) })
        else { return nil }
        let ids = routes.split(separator: ",").compactMap { Int64($0) }
        guard let route = try CheckSnapshot.escalation(failure, rules: rules, routes: ids),
            let key = try RouteState.load(route, access)?.key
        else { return CheckSnapshot(sent: sent, escalation: nil) }
        var place = job.place
        place.budget = try LaneBudget.load(access).name(of: job.tags)
        place.move(to: route, ofTheSameService: try Lanes.sameService(job.place.route, route, access))
        return CheckSnapshot(sent: sent, escalation: .init(model: key.model, place: place))
    }

    private func otherFailures(than attempt: AttemptRecord) throws -> [SettleSnapshot.RouteFailure] {
        try access.query(.otherFailures, [.integer(attempt.job), .integer(attempt.route)]).map { row in
            SettleSnapshot.RouteFailure(
                route: try row.text(0), error: try row.bytesOrNil(1).flatMap(ErrorText.read))
        }
    }
}

extension Statement {
    fileprivate static let settledAttempts = Statement(
        "settled-attempts",
        assembled: """
            SELECT \(AttemptRecord.columns)
            FROM unnest($1::bigint[], $2::bigint[]) AS wanted (job_id, number)
            CROSS JOIN LATERAL (
                SELECT *
                FROM whole_attempt
                WHERE whole_attempt.job_id = wanted.job_id AND whole_attempt.number = wanted.number
            ) AS attempt
            """, [.bigints, .bigints], isKept: true)
    fileprivate static let settledJobs = Statement(
        "settled-jobs",
        assembled: """
            SELECT \(JobRow.columns), \(JobRecord.columns)
            FROM job_place AS place
            JOIN whole_job AS job ON job.id = place.job_id
            JOIN lane ON lane.id = job.lane_id
            WHERE place.job_id = ANY ($1::bigint[])
            """, [.bigints], isKept: true)
    fileprivate static let checkOfJob = Statement(
        "check-of-job", "SELECT rules, routes FROM job_check WHERE job_id = $1::bigint", .bigint)
    fileprivate static let otherFailures = Statement(
        "other-failures",
        """
        SELECT route.provider || '/' || route.model, last.error
        FROM (
            SELECT DISTINCT ON (route_id) route_id, number, error
            FROM attempt
            WHERE job_id = $1::bigint AND route_id <> $2::bigint AND status = 'settled'
            ORDER BY route_id, number DESC
        ) AS last
        JOIN route ON route.id = last.route_id
        ORDER BY last.number
        """, .bigint, .bigint)
}
