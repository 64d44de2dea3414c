import CrashPoint
import Jobs
import Telemetry

/// What came of the call step.
struct Called {
    var outcome: Outcome
    /// Why the worker gave the call up, where it did.
    var ending: AbortReason?
    var milliseconds: Milliseconds
}

extension WorkerSession {
    /// Calls, decides and settles: one attempt from its claim to its end.
    ///
    /// Its task is cancelled where the call is given up; what follows the call is not torn down by that, nor when the
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
        if let live { tell(live, settlement, outcome, of: attempt) }
        inFlight.close(attempt.key)
        if mayHaveWork || runState.current != .work { signal.notify() }
    }

    private func call(_ attempt: ClaimedAttempt, _ live: AnswerBroadcast?) async -> Called {
        let began = clock.now()
        if attempt.deadline.map({ began.ends($0) }) == true {
            inFlight.abort([attempt.key], .deadlinePassed)
        }
        let outcome =
            inFlight.mayCall(attempt.key)
            ? await caller.call(attempt, listener: listener(to: attempt, live))
            : Outcome(.abandoned(sent: false))
        return Called(
            outcome: outcome, ending: inFlight.finishCall(attempt.key),
            milliseconds: clock.now().moment.milliseconds - began.moment.milliseconds)
    }

    /// Where the beginning of the answer is news, the store hears it too.
    private func listener(to attempt: ClaimedAttempt, _ live: AnswerBroadcast?) -> (any AnswerListener)? {
        guard attempt.isProbe || attempt.learnsLimits else { return live }
        return NoticeLog(of: attempt, before: live) { beginning in
            Task {
                do {
                    try await store.hear(beginning, now: clock.now())
                } catch {
                    // The settlement says the same, only later.
                    log.of(attempt.key).debug("beginning of an answer not noted", ["error": "\(error)"])
                }
            }
        }
    }

    /// Nil where nothing is handed back: the worker stops at once, and what was not answered is left to its
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

    /// What happens to many jobs at once (an outage, a full gate) is for developers: the route's state tells it better.
    private func report(_ key: AttemptKey, _ verdict: Verdict, _ called: Called) {
        let log = log.of(key)
        switch verdict {
        case .succeeded:
            log.debug("call succeeded", ["call_ms": .int(Int(called.milliseconds))])
        case .again(let delay, let error, _):
            log.debug(
                "call failed, again later", ["error_type": "\(error.type)", "delay_ms": .int(Int(delay))])
        case .wait(let error):
            log.debug("call must wait", ["error_type": "\(error.type)"])
        case .failed(let error):
            log.info("job failed", ["error_type": "\(error.type)", "status": .int(error.status ?? 0)])
        case .rejected(let failure):
            log.info("answer failed its check", ["next": "\(failure.step.word)"])
        case .handedBack(let sent):
            log.info(
                "attempt given up",
                ["reason": "\(called.ending?.rawValue ?? "call abandoned")", "sent": .bool(sent)])
        }
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

extension Log {
    /// A log whose lines say which attempt they speak of.
    func of(_ key: AttemptKey) -> Log {
        with(["job_id": "\(key.job)", "attempt": .int(key.number)])
    }
}

extension Outcome {
    var answer: Answer? {
        guard case .answer(let answer) = result else { return nil }
        return answer
    }

    /// What was billed, where the provider said.
    var usage: Usage? {
        switch result {
        case .answer(let answer): answer.usage
        case .refusal(let refusal): refusal.usage
        case .broken(let breakage): breakage.usage
        case .abandoned: nil
        }
    }
}
