import Jobs
import Telemetry

// What an attempt says of itself in the log.
extension WorkerSession {
    /// What happens to many jobs at once (an outage, a full gate) is for developers: the route's state tells it better.
    func report(_ key: AttemptKey, _ verdict: Verdict, _ called: Called) {
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

    /// What was billed, if the provider said.
    var usage: Usage? {
        switch result {
        case .answer(let answer): answer.usage
        case .refusal(let refusal): refusal.usage
        case .broken(let breakage): breakage.usage
        case .abandoned: nil
        }
    }
}

extension Settlement {
    var error: JobError? {
        switch verdict {
        case .again(_, let error, _), .wait(let error), .failed(let error): error
        case .rejected(let failure): failure.error
        case .succeeded, .handedBack: nil
        }
    }
}

extension JobError {
    static let givenUp = JobError(
        type: "call_given_up",
        message: "the server stopped or the job was cancelled before the answer was whole",
        retryable: true)
}
