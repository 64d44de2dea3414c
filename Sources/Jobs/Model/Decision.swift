/// What an outcome means for its job and for its route.
package struct Decision: Hashable, Sendable {
    package var verdict: Verdict
    package var routeEvent: RouteEvent
    /// Whether the provider may have billed a call whose usage is not known.
    package var unconfirmedCost: Bool

    package init(verdict: Verdict, routeEvent: RouteEvent, unconfirmedCost: Bool = false) {
        self.verdict = verdict
        self.routeEvent = routeEvent
        self.unconfirmedCost = unconfirmedCost
    }
}

extension Decision {
    /// Decides by the table "what failure means"; pure, so every row of it is a test.
    ///
    /// `failures` are the failed attempts of this job in a row before this one; `deadlinePassed` says that the call was
    /// given up because the job's deadline came.
    package static func decide(
        _ outcome: Outcome, failures: Int, deadlinePassed: Bool = false, policy: RetryPolicy,
        using random: inout some RandomNumberGenerator
    ) -> Decision {
        func delay() -> Milliseconds { policy.delay(failures: failures + 1, using: &random) }
        switch outcome.result {
        case .answer:
            return Decision(verdict: .succeeded, routeEvent: .succeeded)
        case .abandoned(let sent):
            guard deadlinePassed else {
                return Decision(verdict: .handedBack(sent: sent), routeEvent: .neutral, unconfirmedCost: sent)
            }
            return Decision(verdict: .failed(.deadlineExceeded), routeEvent: .neutral, unconfirmedCost: sent)
        case .broken(let breakage):
            var decision = decide(breakage, delay: delay())
            if outcome.routeIsWell { decision.routeEvent = .neutral }
            return decision
        case .refusal(let refusal):
            var decision = decide(refusal, requestID: outcome.requestID, delay: delay())
            decision.unconfirmedCost = refusal.mayBePaid
            return decision
        }
    }

    private static func decide(_ breakage: Breakage, delay: Milliseconds) -> Decision {
        let error = JobError(type: breakage.kind.errorType, message: breakage.message, retryable: true)
        let unconfirmedCost = breakage.maySent && breakage.usage?.isComplete != true
        switch breakage.kind {
        case .unreachable, .reset, .timeout, .truncated, .malformed:
            return Decision(
                verdict: .again(after: delay, error, breakage.hadBegun ? .counted : .ifOthersSucceeded),
                routeEvent: .unavailable, unconfirmedCost: unconfirmedCost)
        case .tooLarge:
            return Decision(
                verdict: .again(after: delay, error, .counted), routeEvent: .neutral,
                unconfirmedCost: unconfirmedCost)
        case .unsendable:
            var error = error
            error.retryable = false
            return Decision(verdict: .failed(error), routeEvent: .neutral)
        }
    }

    private static func decide(_ refusal: Refusal, requestID: String?, delay: Milliseconds) -> Decision {
        let retryAfter = refusal.retryAfter?.delay
        func error(_ fallback: String, retryable: Bool) -> JobError {
            JobError(
                type: refusal.type ?? fallback, message: refusal.message, status: refusal.status,
                requestID: requestID,
                retryable: retryable)
        }
        if let cap = SpendCap(refusal) {
            let event = RouteEvent.spendCapped(until: cap.until, suspected: cap.suspected)
            return Decision(verdict: .wait(error("billing_error", retryable: true)), routeEvent: event)
        }
        if refusal.isOverload {
            let wait = max(refusal.retryAfter?.obeyed ?? 0, delay) * 2
            return Decision(
                verdict: .again(after: wait, error("overloaded_error", retryable: true), .never),
                routeEvent: .overloaded(retryAfter: retryAfter))
        }
        switch refusal.meantStatus {
        case 429:
            return Decision(
                verdict: .wait(error("rate_limit_error", retryable: true)),
                routeEvent: .rateLimited(retryAfter: retryAfter))
        case 401:
            return Decision(
                verdict: .wait(error("authentication_error", retryable: true)), routeEvent: .unauthorized)
        case 403:
            return Decision(
                verdict: .failed(error("permission_error", retryable: false)), routeEvent: .forbidden)
        case 300..<400, 408, 409, 500...:
            return Decision(
                verdict: .again(
                    after: max(refusal.retryAfter?.obeyed ?? 0, delay), error("api_error", retryable: true),
                    refusal.hadBegun ? .counted : .ifOthersSucceeded),
                routeEvent: .unavailable)
        default:
            let error = error("invalid_request_error", retryable: false)
            return Decision(
                verdict: .failed(error),
                routeEvent: .refused(signature: "\(refusal.meantStatus) \(error.type)"))
        }
    }
}

extension Breakage {
    /// An answer that had begun and was cut is paid for, and may be cut again each time: it counts though nothing else runs.
    fileprivate var hadBegun: Bool { usage != nil && kind != .malformed }
}

extension Refusal {
    /// The error came after a part of the answer.
    fileprivate var hadBegun: Bool { status == 200 && usage != nil }

    /// An error inside a stream comes after work was done: if it was not all counted, its cost is unknown.
    fileprivate var mayBePaid: Bool {
        guard status == 200, answerBegan else { return false }
        return usage.map { !$0.isComplete } ?? (meantStatus >= 500)
    }

    /// 529, a 503 that says overloaded, or the `overloaded_error` event inside a stream.
    fileprivate var isOverload: Bool {
        meantStatus == 529 || type == "overloaded_error"
            || (status == 503 && message.lowercased().contains("overload"))
    }

    var meantStatus: Int { JobError.meantStatus(status, type) }
}

extension JobError {
    /// Nil if no provider said anything.
    var meantStatus: Int? { status.map { Self.meantStatus($0, type) } }

    /// The status that an error would have had before its stream began: an `error` event comes after a 200.
    package static func meantStatus(_ status: Int, _ type: String?) -> Int {
        guard (200..<300).contains(status) else { return status }
        return switch type {
        case "invalid_request_error": 400
        case "authentication_error": 401
        case "billing_error": 402
        case "permission_error": 403
        case "not_found_error": 404
        case "request_too_large": 413
        case "rate_limit_error": 429
        case "timeout_error": 504
        case "overloaded_error": 529
        default: 500
        }
    }

    package static let deadlineExceeded = JobError(
        type: "deadline_exceeded", message: "the job's deadline passed before an answer came", retryable: true
    )
}

extension Breakage.Kind {
    /// The `error.type` that a job shows.
    package var errorType: String {
        switch self {
        case .unreachable: "connection_error"
        case .reset: "connection_reset"
        case .timeout: "timeout_error"
        case .truncated: "truncated_answer"
        case .malformed: "malformed_answer"
        case .tooLarge: "answer_too_large"
        case .unsendable: "unsendable_request"
        }
    }
}
