import Jobs
import SQLite

/// A job's step down its route's chain, because of how its call ended.
struct Step {
    let position: Int
    let cause: Fallback.Cause

    /// At once and without blame: it is another route's turn.
    var resolved: ResolvedVerdict {
        ResolvedVerdict(resolution: .ready, counted: false, word: "fell_back")
    }

    static func find(
        _ settlement: Settlement, _ attempt: StoredAttempt, _ operation: Operation
    ) throws -> Step? {
        let chains = operation.settings.fallbacks
        guard !chains.isEmpty, let cause = Fallback.Cause(settlement),
            let home = try RouteRow.load(attempt.home, operation.connection),
            let position = chains.next(after: attempt.position, of: home.key, for: cause)
        else { return nil }
        return Step(position: position, cause: cause)
    }

    func take(_ job: Int64, _ connection: Connection) throws {
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
            WHERE attempt.job_id = ?1 AND attempt.route_id <> ?2 AND attempt.fate = 'settled'
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
