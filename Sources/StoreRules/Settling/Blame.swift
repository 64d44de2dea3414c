import Jobs

/// Whose fault a failed attempt was: its job's, or its route's; never both.
struct Blame {
    let job: JobRecord
    let attempt: AttemptRecord
    let settlement: Settlement
    let standing: Standing

    init(_ job: JobRecord, _ attempt: AttemptRecord, _ settlement: Settlement, _ route: RouteState) {
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

    /// What the attempt's end says of its route: nothing if the job failed there before and others succeeded since.
    func event(_ resolved: ResolvedVerdict) -> RouteEvent {
        guard settlement.routeEvent == .unavailable, resolved.counted, standing.othersSucceeded,
            job.blame?.route == attempt.route
        else { return settlement.routeEvent }
        return .neutral
    }

    /// From when on the next failure counts, if this one was a failure.
    func change(_ resolved: ResolvedVerdict, _ route: RouteState) -> Change? {
        guard case .again = settlement.verdict, case .held = resolved.resolution, job.isHeld(by: attempt)
        else { return nil }
        let known = job.blame.flatMap { $0.route == attempt.route && !resolved.counted ? $0.mark : nil }
        return .blame(
            job: job.id, JobBlame(route: attempt.route, mark: known ?? route.ledger.succeeded),
            isForgiven: standing.mayBePaid && !resolved.counted)
    }
}
