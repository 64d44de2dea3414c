import Jobs

/// A decision in the table's words.
struct Judgement: Equatable, CustomStringConvertible {
    var verdict: String
    var event: String
    var money: Fault.Money

    /// Delays up to twice this are the worker's own.
    private static let ownDelay: Milliseconds = 20
    static let policy = RetryPolicy(base: 10, cap: ownDelay)

    init(verdict: String, event: String, money: Fault.Money) {
        self.verdict = verdict
        self.event = event
        self.money = money
    }

    /// That an answer which had begun counts is not the table's to say: it hangs on how the call is made.
    init(_ decision: Decision, of outcome: Outcome) {
        var decision = decision
        if case .again(let delay, let error, .counted) = decision.verdict, outcome.hadBegun {
            decision.verdict = .again(after: delay, error, .ifOthersSucceeded)
        }
        self.init(
            verdict: Self.words(decision.verdict), event: Self.words(decision.routeEvent),
            money: decision.unconfirmedCost ? .unconfirmedCost : .known)
    }

    private static func words(_ verdict: Verdict) -> String {
        switch verdict {
        case .succeeded: "succeeded"
        case .again(let delay, let error, let blame):
            "again \(error.type)" + (blame == .ifOthersSucceeded ? "" : ", \(blame)")
                + (delay > 2 * ownDelay ? " after \(delay)" : "")
        case .wait(let error): "wait \(error.type)"
        case .failed(let error): "failed \(error.type)"
        case .rejected: "rejected"
        case .handedBack: "handed back"
        }
    }

    private static func words(_ event: RouteEvent) -> String {
        switch event {
        case .succeeded: "succeeded"
        case .rateLimited(let delay): "rate limited" + words(delay)
        case .overloaded(let delay): "overloaded" + words(delay)
        case .unavailable: "unavailable"
        case .unauthorized: "unauthorized"
        case .forbidden: "forbidden"
        case .spendCapped(let until, let suspected):
            "spend cap" + (suspected ? " suspected" : "") + (until == nil ? "" : " until a date")
        case .refused(let signature): "refused " + signature
        case .neutral: "neutral"
        }
    }

    private static func words(_ delay: Milliseconds?) -> String { delay.map { " \($0)" } ?? "" }

    var description: String { "\(verdict) | \(event) | \(money)" }
}

extension Outcome {
    /// A part of the answer had come, and the connection or the provider cut it.
    var hadBegun: Bool {
        switch result {
        case .broken(let breakage): breakage.usage != nil && ![.malformed, .tooLarge].contains(breakage.kind)
        case .refusal(let refusal): refusal.status == 200 && refusal.usage != nil
        case .answer, .abandoned: false
        }
    }
}
