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

    init(_ decision: Decision) {
        self.init(
            verdict: Self.words(decision.verdict), event: Self.words(decision.routeEvent),
            money: decision.maybePaid ? .maybePaid : .known)
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
