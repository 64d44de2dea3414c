import Jobs

// What the gates say to people: also of a gate that lets one call try, as the others wait for what becomes of it.
extension Gates {
    /// What keeps jobs with such a call from a route: money first, then keys, refusals, and the route itself.
    func waiting(
        for call: CallFacts, on route: RouteState, keyHolders: () throws -> [KeyHolder]
    ) rethrows -> WaitingFor? {
        if let closure = budget(call, on: route.key) { return closure.waiting(at: now.timestamp) }
        return try keyHolders().closure(of: route.key.service, at: now)
            ?? streakWaiting(on: route) ?? limitsWaiting(for: call, on: route)
    }

    private func streakWaiting(on route: RouteState) -> WaitingFor? {
        heldBack(on: route).map { detail, after in
            WaitingFor(reason: .pause, detail: detail, until: after.map { now.timestamp + $0 })
        }
    }

    private func limitsWaiting(for call: CallFacts, on route: RouteState) -> WaitingFor? {
        let gate = route.ledger.gate
        switch limits(call, on: route) {
        case .refused(let reason, let detail, let after):
            return WaitingFor(
                reason: reason, detail: detail, until: gate.opening(after: after, now: now.timestamp))
        case .admitted where !gate.opensByItself:
            return WaitingFor(
                reason: gate.waitReason, detail: gate.explanation,
                until: gate.opening(after: nil, now: now.timestamp))
        case .admitted: return nil
        }
    }
}

extension RouteLedger.Admission {
    /// Nil if a call may go.
    func waiting(at now: Timestamp) -> WaitingFor? {
        guard case .refused(let reason, let detail, let after) = self else { return nil }
        return WaitingFor(reason: reason, detail: detail, until: after.map { now + $0 })
    }
}
