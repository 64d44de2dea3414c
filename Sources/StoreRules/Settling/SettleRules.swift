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

    /// Decides, and changes the rows that it shares with others at once.
    ///
    /// The row cache must have the attempt's route, queue and budget windows. The tallies are those of the transaction so far: they
    /// grow in place, and the delta has none.
    package consuming func settle(
        _ rowCache: inout RowCache, _ tallies: inout Tallies, using random: inout some RandomNumberGenerator
    ) throws -> (SettleOutcome, Delta) {
        var credentials: [Int64: SharedClosing.Credential] = [:]
        if let known = snapshot.credential { credentials[known.state.id] = known }
        let (outcome, decided, closing) = try decide(on: rowCache.routes[attempt.route], &tallies)
        var delta = decided
        closing?.apply(to: &rowCache, &credentials, &delta, using: &random)
        return (outcome, delta)
    }

    /// Decides; what it says to shared rows is for the transaction that has them locked.
    ///
    /// The route may be a little older than the settlement: it tells prices, and whether the failure of a call is its job's.
    package consuming func decide(
        on route: RouteState?, _ tallies: inout Tallies
    ) throws -> (SettleOutcome, Delta, SharedClosing?) {
        guard let route, attempt.status != .settled else { return (.repeated, delta, nil) }
        swap(&delta.tallies, &tallies)
        var closing = SharedClosing(
            route: attempt.route, queue: attempt.queue, openedAt: attempt.openedAt, windows: attempt.windows,
            worstCase: Money(nanodollars: attempt.reservedCost), now: now)
        let outcome =
            attempt.status == .open
            ? try settleOpen(route, &closing) : settleLate(route, &closing)
        swap(&delta.tallies, &tallies)
        return (outcome, delta, closing)
    }

    // MARK: In time

    private mutating func settleOpen(
        _ route: RouteState, _ closing: inout SharedClosing
    ) throws -> SettleOutcome {
        let blame = Blame(job, attempt, settlement, route)
        let step = FallbackStep.find(settlement, snapshot, settings.fallbacks, now: now)
        let resolved = step?.resolved ?? settlement.verdict.resolve(blame.standing, now: now.timestamp)
        if attempt.providerBatch == nil { closing.call = call(blame.event(resolved)) }
        closing.credential = snapshot.credential?.state.id
        closing.saying = saying(leaves: step != nil)
        if let change = blame.change(resolved, route) { delta.add(change) }
        let cost = bookedCost(on: route)
        let unconfirmed = unconfirmedCost(of: attempt.reservedCost, cost: cost)
        closeAttempt(resolved, cost: cost, unconfirmedCost: unconfirmed)
        let wasCalled = settlement.verdict != .handedBack(sent: false)
        book(calls: wasCalled ? 1 : 0, cost: cost, unconfirmedCost: unconfirmed, route)
        closing.money = BudgetLedger.Change(closing: attempt, cost: cost, unconfirmedCost: unconfirmed)
        let outcome = try settleJob(resolved, cost: cost)
        delta.closePrefix(
            of: attempt, job, wasWriter: snapshot.wroteItsPrefix, answered: settlement.answer != nil,
            now: now.moment)
        if case .down(let position, let cause)? = step, outcome == .settled(.queued) {
            delta.add(.fallBack(job: job.id, position: position, cause))
        }
        return outcome
    }

    private func call(_ event: RouteEvent) -> SharedClosing.Call {
        SharedClosing.Call(
            need: attempt.need, marks: attempt.marks, requestBytes: job.requestBytes, used: settlement.used,
            event: event, limits: settlement.limits, milliseconds: settlement.callMilliseconds)
    }

    /// `leaves` if another route is asked now: the job is not at its end.
    private func saying(leaves: Bool) -> SharedClosing.Saying {
        switch settlement.routeEvent {
        case .refused(let signature) where !leaves:
            guard case .failed(let error) = settlement.verdict, job.place.kind != .interactive else {
                return .nothing
            }
            return .refused(signature: signature, message: error.message)
        case .succeeded: return .succeeded
        default: return .nothing
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
    private mutating func settleLate(_ route: RouteState, _ closing: inout SharedClosing) -> SettleOutcome {
        let cost = bookedCost(on: route)
        let unconfirmed = unconfirmedCost(of: attempt.unconfirmedCost, cost: cost)
        closeAttempt(
            ResolvedVerdict(resolution: .ready, counted: false, word: "late"), cost: cost,
            unconfirmedCost: unconfirmed)
        // The call was counted when it was written off.
        book(calls: 0, cost: cost, unconfirmedCost: unconfirmed - attempt.unconfirmedCost, route)
        closing.money = BudgetLedger.Change(correcting: attempt, cost: cost, unconfirmedCost: unconfirmed)
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
