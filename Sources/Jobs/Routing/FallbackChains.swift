/// Which routes may answer in another's place, and for what cause; pure.
///
/// A job is at a position of its route's chain: 0 is its own route, n the n-th fallback. A claim may go further
/// down for a gate that is closed, for that one call; what the provider says moves the job for good.
package struct FallbackChains: Hashable, Sendable {
    private let chains: [RouteKey: [Fallback]]

    /// Fallbacks to or from a simulated route are left out: its words are never served as a real model's.
    package init(_ chains: [RouteKey: [Fallback]] = [:]) {
        self.chains = chains.filter { !$0.key.service.simulated }
            .mapValues { chain in chain.filter { !$0.route.service.simulated } }
            .filter { !$0.value.isEmpty }
    }

    /// The chains of the configuration.
    package init(_ table: RouteTable) {
        self.init(Dictionary(table.routes.map { ($0.key, $0.fallbacks) }) { first, _ in first })
    }

    package var isEmpty: Bool { chains.isEmpty }

    /// The route at a position; a position that the chain has no longer is the route itself.
    package func route(at position: Int, of home: RouteKey) -> RouteKey {
        guard position > 0, let chain = chains[home], position <= chain.count else { return home }
        return chain[position - 1].route
    }

    /// The first position behind this one that takes calls for the cause; nil if the chain ends.
    package func next(after position: Int, of home: RouteKey, for cause: Fallback.Cause) -> Int? {
        guard let chain = chains[home], position < chain.count else { return nil }
        return chain.indices.dropFirst(max(0, position)).first { chain[$0].causes.contains(cause) }.map {
            $0 + 1
        }
    }
}

// MARK: - At the claim

extension FallbackChains {
    /// Where a call goes now.
    package enum Choice: Hashable, Sendable {
        /// On the route at this position; the cause if that is not the job's own position.
        case fly(position: Int, Fallback.Cause?)
        /// Nowhere yet: what the job's own route says, and when to ask again at the soonest.
        case wait(WaitingFor.Reason, String, after: Milliseconds?)
    }

    /// Asks the route at the job's position, then down the chain those that take calls for what closes it.
    ///
    /// `ask` gives nil for a route that cannot be called from here.
    package func choose(
        from position: Int, of home: RouteKey, ask: (RouteKey) throws -> RouteLedger.Admission?
    ) rethrows -> Choice {
        var here = position
        var cause: Fallback.Cause?
        var first: (WaitingFor.Reason, String)?
        var soonest: Milliseconds?
        while true {
            switch try ask(route(at: here, of: home)) {
            case .admitted:
                return .fly(position: here, cause)
            case .refused(let reason, let explanation, let after):
                first = first ?? (reason, explanation)
                if let after { soonest = min(soonest ?? .max, after) }
                cause = Fallback.Cause(closed: reason, after: after) ?? cause
            case nil:
                first = first ?? (.worker, "no worker calls \(route(at: here, of: home).name)")
            }
            guard let closed = cause, let next = next(after: here, of: home, for: closed) else {
                return .wait(first?.0 ?? .worker, first?.1 ?? "", after: soonest)
            }
            here = next
        }
    }
}

extension Fallback.Cause {
    /// The cause of a fallback that a closed gate is; nil if a fallback does not help against it.
    ///
    /// A gate that only an answer in flight opens is about to open: the first call of a route teaches its limits.
    init?(closed reason: WaitingFor.Reason, after: Milliseconds?) {
        switch reason {
        case .breaker: self = .breaker
        case .budget, .providerSpendLimit: self = .budget
        case .rateLimit where after != nil: self = .rateLimit
        default: return nil
        }
    }
}

// MARK: - At the settlement

extension Fallback.Cause {
    /// The cause of a fallback that a settlement is; nil if it has nothing to do with the chain.
    package init?(_ settlement: Settlement) {
        switch settlement.answer?.stopReason {
        case "refusal": self = .refused
        case "model_context_window_exceeded": self = .contextTooLong
        default:
            switch (settlement.routeEvent, settlement.verdict) {
            case (.overloaded, .again): self = .overloaded
            case (.refused, .failed(let error)) where error.saysPromptIsTooLong: self = .contextTooLong
            case (.refused, .failed), (.forbidden, .failed): self = .refused
            case (_, .failed(let error)) where error.saysUnsendable: self = .refused
            default: return nil
            }
        }
    }
}

extension JobError {
    /// The route's provider cannot be asked what the job asks; no call was made.
    package var saysUnsendable: Bool { type == Breakage.Kind.unsendable.errorType }

    fileprivate var saysPromptIsTooLong: Bool {
        guard meantStatus == 400 || meantStatus == 413 else { return false }
        return Self.saysPromptIsTooLong(type + " " + message)
    }

    /// Providers have no code of their own for it: "prompt is too long: 210000 tokens > 200000 maximum" is one's
    /// wording, `context_length_exceeded` another's.
    package static func saysPromptIsTooLong(_ words: String) -> Bool {
        let words = words.lowercased()
        return ["prompt is too long", "context_length_exceeded", "maximum context length", "context window"]
            .contains { words.contains($0) }
    }
}
