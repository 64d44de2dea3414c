import CrashPoint
import Jobs
import Telemetry

/// What came of the call step.
struct Called {
    var outcome: Outcome
    /// Why the worker gave the call up, if it did.
    var ending: AbortReason?
    var milliseconds: Milliseconds
}

/// One attempt from its claim to its end: begun, called, decided, settled, announced, closed.
extension WorkerSession {
    // MARK: Begun

    /// An order may have come during the claim: what it brought is then not begun but ended as the order
    /// says.
    func begin(_ claimed: [ClaimedAttempt]) {
        if !claimed.isEmpty { crashPoint("attempts-claimed") }
        let order = runState.current
        for attempt in claimed {
            inFlight.open(attempt, ending: order == .work ? nil : order == .drain ? .drained : .stopped)
            let live =
                settings.partition == .interactive ? runState.interactive.answer(to: attempt.key.job) : nil
            // No child of anybody: a call outlives the order to stop, and `run` waits for the roster to be empty.
            // It begins here, and goes its own way from the first wait on: that of its call.
            inFlight.note(Task.immediate { await run(attempt, live) }, of: attempt.key)
        }
        if claimed.contains(where: { $0.deadline != nil }) { overdueSignal.notify() }
        // An order that came while they were being listed has not seen all of them.
        if runState.current == .stop { inFlight.abort(inFlight.keys, .stopped) }
    }

    /// Calls, decides and settles: one attempt from its claim to its end.
    ///
    /// Its task is cancelled if the call is given up; what follows the call is not torn down by that, nor when the
    /// worker stops.
    func run(_ attempt: ClaimedAttempt, _ held: BroadcastSubscription?) async {
        let called = await call(attempt, held?.live)
        guard Task.isCancelled else { return await conclude(attempt, called, held) }
        await Task { await conclude(attempt, called, held) }.value
    }

    /// Not inlined: thousands of attempts wait in `call`, without room for what only comes afterwards.
    @inline(never)
    private func conclude(_ attempt: ClaimedAttempt, _ called: Called, _ held: BroadcastSubscription?) async {
        let live = held?.live
        crashPoint("attempt-called")
        if mayHaveWork { signal.notify() }
        noteCost(of: attempt, called.outcome)
        var outcome: SettleOutcome?
        let settlement = settlement(of: attempt, called, live)
        if let settlement { outcome = await settle(settlement) }
        if let live { announce(live, settlement, outcome, of: attempt) }
        inFlight.close(attempt.key)
        if mayHaveWork || runState.current != .work { signal.notify() }
    }

    private func call(_ attempt: ClaimedAttempt, _ live: AnswerBroadcast?) async -> Called {
        let began = store.now()
        if attempt.deadline.map({ began.ends($0) }) == true {
            inFlight.abort([attempt.key], .deadlinePassed)
        }
        let outcome =
            inFlight.mayCall(attempt.key)
            ? await caller.call(attempt, listener: listener(to: attempt, live))
            : Outcome(.abandoned(sent: false))
        return Called(
            outcome: outcome, ending: inFlight.finishCall(attempt.key),
            milliseconds: store.now().moment.milliseconds - began.moment.milliseconds)
    }

    /// If the beginning of the answer is news, the store hears it too.
    private func listener(to attempt: ClaimedAttempt, _ live: AnswerBroadcast?) -> (any AnswerListener)? {
        guard attempt.isProbe || attempt.learnsLimits else { return live }
        return NoticeLog(of: attempt, before: live) { beginning in
            Task {
                do {
                    try await store.noteBeginning(beginning)
                } catch {
                    // The settlement says the same, only later.
                    log.of(attempt.key).debug("beginning of an answer not noted", ["error": "\(error)"])
                }
            }
        }
    }

    // MARK: Decided

    /// Nil if nothing is handed back: the worker stops at once, and what was not answered is left to its
    /// lease.
    func settlement(of attempt: ClaimedAttempt, _ called: Called, _ live: AnswerBroadcast? = nil)
        -> Settlement?
    {
        if called.ending == .stopped, case .abandoned = called.outcome.result { return nil }
        var random = SystemRandom()
        var decision = Decision.decide(
            called.outcome, failures: attempt.failures, deadlinePassed: called.ending == .deadlinePassed,
            policy: settings.retry, using: &random
        )
        .checked(called.outcome.answer, of: attempt)
        if let final = decision.verdict.withoutAnother, live?.sealUnlessTold() == true, !attempt.isKeyed {
            // A second answer would be paid for, and nobody could get it.
            decision.verdict = final
        }
        report(attempt.key, decision.verdict, called)
        return Settlement(
            key: attempt.key, verdict: decision.verdict, routeEvent: decision.routeEvent,
            answer: called.outcome.answer, usage: called.outcome.usage,
            unconfirmedCost: decision.unconfirmedCost,
            requestID: called.outcome.requestID, limits: called.outcome.limits,
            callMilliseconds: called.milliseconds)
    }

    // MARK: Settled

    /// Settles, and tries again while that may help: an answer that was paid for is not thrown away for a
    /// full disk.
    ///
    /// Returns what it did; nil if it was given up.
    func settle(_ settlement: Settlement) async -> SettleOutcome? {
        var patience = SettlePatience(
            lease: settings.lease, paid: settlement.answer != nil || settlement.usage != nil)
        while true {
            do {
                let outcome = try await store.settle(settlement)
                absence.ended(log)
                if outcome == .late { log.of(settlement.key).notice("attempt settled late") }
                return outcome
            } catch {
                let stopping = runState.current
                let held =
                    inFlight.leaseUntil(settlement.key).map { !$0.hasPassed(at: store.now().moment) } ?? false
                guard let delay = patience.delay(after: error, leaseHeld: held, order: stopping) else {
                    log.of(settlement.key).error(
                        "settlement given up, the lease will expire", ["error": "\(error)"])
                    return nil
                }
                absence.failed(
                    .warning, "settlement failed, again soon", error, log.of(settlement.key),
                    ["delay_ms": .int(Int(delay))])
                await pause(delay)
            }
        }
    }

    // MARK: Announced

    /// Says to those who wait how the attempt ended, once it is in the record.
    private func announce(
        _ live: AnswerBroadcast, _ settlement: Settlement?, _ outcome: SettleOutcome?,
        of attempt: ClaimedAttempt
    ) {
        runState.interactive.retire(attempt.key.job, live)
        if case .settled(.succeeded) = outcome, let answer = settlement?.answer {
            let price = settings.price(attempt.route, answer.model, attempt.openedAt)
            let cost = answer.isBilled ? price?.cost(of: answer.usage) : .zero
            return live.end(.answered(answer, cost: cost, attempt: attempt.key.number))
        }
        if live.isTold {
            return live.end(.broken(settlement?.error ?? .givenUp))
        }
        live.end(.elsewhere)
    }
}

extension Verdict {
    /// The same if no other answer may follow; nil if none would.
    fileprivate var withoutAnother: Verdict? {
        switch self {
        case .again(_, let error, _), .wait(let error): return .failed(error)
        case .rejected(var failure):
            guard failure.step != .fail else { return nil }
            failure.step = .fail
            return .rejected(failure)
        case .succeeded, .failed, .handedBack: return nil
        }
    }
}
