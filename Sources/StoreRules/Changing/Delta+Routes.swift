package import Jobs

// What an operator changes of a route.
extension Delta {
    /// A person who resumes a route says that it is well: its gate and its keys are tried again, and nothing waits any more for
    /// what the provider said before.
    package mutating func setPaused(
        _ paused: Bool, _ route: RouteState, in rowCache: inout RowCache, now: Moment
    ) {
        add(.route(route.id, .paused(paused)))
        guard !paused else { return }
        var route = route
        route.ledger.resume(now: now)
        keep(route, in: &rowCache)
        add(.route(route.id, .acceptCredentials(route.key.service)))
        add(.route(route.id, .pollBatches))
    }

    /// The operator's own limits.
    package mutating func configure(
        _ limits: RouteLimits, of route: RouteState, in rowCache: inout RowCache, now: Moment
    ) {
        var route = route
        route.ledger.advance(to: now)
        route.ledger.enforce(burst: limits.burst, reservesMaxTokens: limits.reservesMaxTokens)
        route.ledger.state(.requests, limits.requests, now: now)
        route.ledger.state(.inputTokens, limits.inputTokens, now: now)
        route.ledger.state(.outputTokens, limits.outputTokens, now: now)
        keep(route, in: &rowCache)
    }

    /// Limits that are not known any more are deleted.
    private mutating func keep(_ route: RouteState, in rowCache: inout RowCache) {
        rowCache.keep(route)
        for meter in RouteLedger.Meter.allCases where route.ledger.lines[meter] == nil {
            add(.route(route.id, .forgetLimit(meter)))
        }
    }
}

extension RouteState {
    /// What the beginning of an answer says of its route; nil if the attempt is no open call of its own.
    package func noting(_ beginning: AnswerBeginning, of attempt: AttemptRecord, now: Moment) -> RouteState? {
        guard attempt.status == .open, attempt.providerBatch == nil else { return nil }
        var route = self
        route.ledger.noteBeginning(
            beginning, need: attempt.need, marks: attempt.marks, claimedAt: attempt.openedAt, now: now)
        return route
    }
}
