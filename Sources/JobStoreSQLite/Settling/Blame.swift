import Jobs
import SQLite

/// Whose fault a failed attempt was: its job's, or its route's; never both.
struct Blame {
    let job: StoredJob
    let attempt: StoredAttempt
    let settlement: Settlement
    let standing: Standing

    init(_ job: StoredJob, _ attempt: StoredAttempt, _ settlement: Settlement, _ route: RouteRow) {
        self.job = job
        self.attempt = attempt
        self.settlement = settlement
        var standing = Standing(
            attemptsCounted: job.attemptsCounted, maxAttempts: job.maxAttempts, failures: job.failures,
            forgiven: job.forgiven)
        let mark = job.blame.flatMap { $0.route == attempt.route ? $0.mark : nil } ?? attempt.marks.succeeded
        standing.othersSucceeded = route.ledger.succeeded > mark
        standing.mayBePaid = settlement.unconfirmedCost || settlement.usage != nil
        standing.forbiddenIsKnown = route.ledger.gate.state == .forbidden
        if case .spendCapped(_, suspected: true) = settlement.routeEvent { standing.suspectsCap = true }
        self.standing = standing
    }

    /// What the attempt's end says of its route: nothing where the job failed there before and others succeeded since.
    func event(_ resolved: ResolvedVerdict) -> RouteEvent {
        guard settlement.routeEvent == .unavailable, resolved.counted, standing.othersSucceeded,
            job.blame?.route == attempt.route
        else { return settlement.routeEvent }
        return .neutral
    }

    /// Notes from when on the next failure counts, where this one was a failure.
    func note(_ resolved: ResolvedVerdict, _ route: RouteRow, _ connection: Connection) throws {
        guard case .again = settlement.verdict, case .held = resolved.resolution,
            job.state == .running, job.attempt == attempt.number
        else { return }
        let isKnown = job.blame?.route == attempt.route && !resolved.counted
        let mark = isKnown ? job.blame?.mark : route.ledger.succeeded
        let isForgiven = standing.mayBePaid && !resolved.counted
        _ = try connection.run(
            "UPDATE job SET blame_route_id = ?2, blame_mark = ?3, forgiven = forgiven + ?4 WHERE id = ?1",
            [.integer(job.id), .integer(attempt.route), .integer(mark), .integer(isForgiven ? 1 : 0)])
    }
}
