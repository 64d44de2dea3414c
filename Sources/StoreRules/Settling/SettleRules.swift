package import Jobs

/// Closes one attempt: its money and its share of the limits always, its job only if the attempt still holds it.
///
/// Pure: what it needs to know is in the snapshot and the cached rows, what it changes in these and in the delta.
package struct SettleRules {
    let settlement: Settlement
    let snapshot: SettleSnapshot
    let settings: RuleSettings
    let now: Now
    var delta = Delta()

    var attempt: AttemptRecord { snapshot.attempt }
    var job: JobRecord { snapshot.job }

    package init(_ settlement: Settlement, _ snapshot: SettleSnapshot, settings: RuleSettings, now: Now) {
        self.settlement = settlement
        self.snapshot = snapshot
        self.settings = settings
        self.now = now
    }

    /// The row cache must have the attempt's route, queue and budget windows.
    ///
    /// The tallies are those of the transaction so far: they grow in place, and the delta has none.
    package consuming func settle(
        _ rowCache: inout RowCache, _ tallies: inout Tallies, using random: inout some RandomNumberGenerator
    ) throws -> (SettleOutcome, Delta) {
        swap(&delta.tallies, &tallies)
        let outcome: SettleOutcome
        switch attempt.status {
        case .settled: outcome = .repeated
        case .writtenOff: outcome = settleLate(&rowCache)
        case .open: outcome = try settleOpen(&rowCache, using: &random)
        }
        swap(&delta.tallies, &tallies)
        return (outcome, delta)
    }

    // MARK: In time

    private mutating func settleOpen(
        _ rowCache: inout RowCache, using random: inout some RandomNumberGenerator
    ) throws -> SettleOutcome {
        guard var route = rowCache.routes[attempt.route] else { return .repeated }
        let blame = Blame(job, attempt, settlement, route)
        let step = FallbackStep.find(settlement, snapshot, settings.fallbacks, now: now)
        let resolved = step?.resolved ?? settlement.verdict.resolve(blame.standing, now: now.timestamp)
        if attempt.providerBatch == nil {
            close(&route, blame.event(resolved), using: &random)
            rowCache.keep(route)
        }
        if let change = blame.change(resolved, route) { delta.add(change) }
        closeQueue(&rowCache, route.key, leaves: step != nil)
        let cost = bookedCost(on: route)
        let unconfirmed = unconfirmedCost(of: attempt.reservedCost, cost: cost)
        closeAttempt(resolved, cost: cost, unconfirmedCost: unconfirmed)
        let wasCalled = settlement.verdict != .handedBack(sent: false)
        book(calls: wasCalled ? 1 : 0, cost: cost, unconfirmedCost: unconfirmed, route)
        delta.close(attempt, cost: cost, unconfirmedCost: unconfirmed, in: &rowCache, now: now)
        let outcome = try settleJob(resolved, cost: cost)
        delta.closePrefix(
            of: attempt, job, wasWriter: snapshot.wroteItsPrefix, answered: settlement.answer != nil,
            now: now.moment)
        if case .down(let position, let cause)? = step, outcome == .settled(.queued) {
            delta.add(.fallBack(job: job.id, position: position, cause))
        }
        return outcome
    }

    /// Its share of the limits, and what it says of the gates of the route and of the key that it was called with.
    private mutating func close(
        _ route: inout RouteState, _ event: RouteEvent, using random: inout some RandomNumberGenerator
    ) {
        let event = closeCredential(event, using: &random)
        let before = route.ledger.gate.state
        route.ledger.close(
            attempt.need, marks: attempt.marks, requestBytes: job.requestBytes, used: settlement.used,
            event: event, limits: settlement.limits, claimedAt: attempt.openedAt,
            callMilliseconds: settlement.callMilliseconds, now: now, using: &random)
        if let notice = StateNotice(route: route.key, from: before, to: route.ledger.gate) {
            delta.notice(notice)
        }
    }

    private mutating func closeAttempt(_ resolved: ResolvedVerdict, cost: Int64, unconfirmedCost: Int64) {
        delta.add(
            .settle(
                AttemptSettlement(
                    settlement: settlement, counted: resolved.counted, word: resolved.word, cost: cost,
                    unconfirmedCost: unconfirmedCost)))
    }

    // MARK: Too late

    /// The lease was lost and the attempt written off: what was unconfirmed is now known, and the answer is not wasted.
    private mutating func settleLate(_ rowCache: inout RowCache) -> SettleOutcome {
        guard let route = rowCache.routes[attempt.route] else { return .repeated }
        let cost = bookedCost(on: route)
        let unconfirmed = unconfirmedCost(of: attempt.unconfirmedCost, cost: cost)
        closeAttempt(
            ResolvedVerdict(resolution: .ready, counted: false, word: "late"), cost: cost,
            unconfirmedCost: unconfirmed)
        // The call was counted when it was written off.
        book(calls: 0, cost: cost, unconfirmedCost: unconfirmed - attempt.unconfirmedCost, route)
        delta.correct(attempt, cost: cost, unconfirmedCost: unconfirmed, in: &rowCache, now: now)
        delta.add(.count(job: job.id, attemptsCounted: job.attemptsCounted, cost: cost))
        if let answer = sharedAnswer(cost: cost, uses: 0) {
            delta.add(.keep(answer))
            releaseFollowers()
        }
        return .late
    }
}

extension Settlement {
    /// What the call took of the route's limits.
    fileprivate var used: RouteLedger.Used {
        if let usage = answer?.usage ?? usage { return .tokens(usage) }
        if case .handedBack(sent: false) = verdict { return .nothing }
        switch routeEvent {
        case .rateLimited, .overloaded, .unauthorized, .forbidden, .spendCapped, .refused: return .requestOnly
        case .unavailable: return unconfirmedCost ? .unknown : .requestOnly
        case .succeeded, .neutral: return unconfirmedCost ? .unknown : .nothing
        }
    }
}
