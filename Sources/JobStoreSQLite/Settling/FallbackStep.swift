import Jobs
import SQLite

/// A job's step along its route's chain, because of how its call ended.
enum FallbackStep {
    /// Down to another route, for good.
    case down(to: Int, Fallback.Cause)
    /// Back from a route that it was lent to for one call, and that cannot be asked such a thing.
    case back(until: Timestamp, JobError)

    /// A job that came back waits so long for its own route: until then it would only be lent again.
    private static let pause: Milliseconds = 30_000

    /// Without blame: it is another route's turn.
    var resolved: ResolvedVerdict {
        switch self {
        case .down: ResolvedVerdict(resolution: .ready, counted: false, word: "fell_back")
        case .back(let until, let error):
            ResolvedVerdict(resolution: .held(until: until, error), counted: false, word: "waited")
        }
    }

    static func find(
        _ settlement: Settlement, _ attempt: StoredAttempt, _ context: WriteContext
    ) throws -> FallbackStep? {
        let chains = context.settings.fallbacks
        guard !chains.isEmpty, let cause = Fallback.Cause(settlement),
            let home = try RouteRow.load(attempt.home, context.connection)
        else { return nil }
        if let position = chains.next(after: attempt.position, of: home.key, for: cause) {
            return .down(to: position, cause)
        }
        guard case .failed(var error) = settlement.verdict, error.saysUnsendable,
            try attempt.position > ownPosition(of: attempt.job, context.connection)
        else { return nil }
        error.retryable = true
        return .back(until: context.now.timestamp + pause, error)
    }

    private static func ownPosition(of job: Int64, _ connection: Connection) throws -> Int {
        try connection.queryOne("SELECT fallback FROM job WHERE id = ?1", [.integer(job)]) { $0.int(0) } ?? 0
    }

    func take(_ job: Int64, _ connection: Connection) throws {
        guard case .down(let position, let cause) = self else { return }
        _ = try connection.run(
            "UPDATE job SET fallback = ?2, fallback_cause = ?3 WHERE id = ?1",
            [.integer(job), .integer(position), .text(cause.rawValue)])
    }

    /// The error of a job that several routes could not do names each of them.
    static func naming(
        _ error: JobError, in attempt: StoredAttempt, _ connection: Connection
    ) throws -> JobError {
        let others = try connection.query(
            """
            SELECT route.provider || '/' || route.model, attempt.error, max(attempt.number)
            FROM attempt
            JOIN route ON route.id = attempt.route_id
            WHERE attempt.job_id = ?1 AND attempt.route_id <> ?2 AND attempt.status = 'settled'
            GROUP BY attempt.route_id
            ORDER BY max(attempt.number)
            """, [.integer(attempt.job), .integer(attempt.route)]
        ) { row in
            let error = row.isNull(1) ? nil : ErrorText.read(row.blob(1))
            return
                "\(row.text(0)): \(error.map { "\($0.type): \($0.message)" } ?? "it gave no answer of use")"
        }
        guard !others.isEmpty, let here = try RouteRow.load(attempt.route, connection) else { return error }
        var error = error
        let all = others + ["\(here.key.name): \(error.type): \(error.message)"]
        error.message = "no route could do it. " + all.joined(separator: "; ")
        return error
    }
}
