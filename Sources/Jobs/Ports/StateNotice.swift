/// A change of the state of a route, a queue, a credential, a budget or the schema, as the log tells it: once when it begins, once when it ends.
package struct StateNotice: Hashable, Sendable {
    package enum Subject: String, Sendable {
        case route, queue, credential, budget, schema
    }

    package var subject: Subject
    package var name: String
    /// The new state's word.
    package var state: String
    /// What happened, for people.
    package var cause: String
    /// What to do about it; empty if nothing needs to be done.
    package var cure: String
    /// Whether all is well again.
    package var isEnd: Bool

    package init(
        _ subject: Subject, _ name: String, state: String, cause: String, cure: String = "",
        isEnd: Bool = false
    ) {
        self.subject = subject
        self.name = name
        self.state = state
        self.cause = cause
        self.cure = cure
        self.isEnd = isEnd
    }
}

extension StateNotice {
    /// Nil if the gate's state did not change.
    package init?(route: RouteKey, from old: RouteGate.State, to gate: RouteGate) {
        guard gate.state != old else { return nil }
        guard gate.state != .open else {
            self.init(.route, route.name, state: "open", cause: "calls succeed again", isEnd: true)
            return
        }
        self.init(
            .route, route.name, state: gate.state.rawValue, cause: gate.explanation,
            cure: gate.state.cure(of: route))
    }
}

extension RouteGate.State {
    fileprivate func cure(of route: RouteKey) -> String {
        switch self {
        case .open: ""
        case .rateLimited:
            "none is needed: it goes on by itself; fewer calls at once, or higher limits at the provider, prevent it"
        case .broken: "none is needed: it goes on by itself when the provider is back"
        case .credential: "correct \(route.service.credential) and restart the workers"
        case .forbidden:
            "let the key use \(route.model), or move its jobs: `renga retry --model \(route.model) --set model=MODEL`"
        case .spendCap:
            "add credit or raise the limit at the provider: work goes on by itself about a minute later"
        }
    }
}
