package import Jobs

extension RouteState {
    /// Its state, without what its store counts.
    package func status(at now: Now) -> RouteStatus {
        var ledger = ledger
        ledger.advance(to: now.moment)
        return RouteStatus(
            name: key.name, endpoint: key.service.endpoint, simulated: key.service.simulated,
            paused: ledger.isPaused, gate: ledger.closure(at: now), requests: ledger.level(.requests),
            inputTokens: ledger.level(.inputTokens), outputTokens: ledger.level(.outputTokens),
            running: ledger.running, succeeded: ledger.succeeded)
    }
}

extension RouteLedger {
    fileprivate func closure(at now: Now) -> WaitingFor? {
        switch gate.passage(at: now.moment) {
        case .open: nil
        case .oneProbe:
            WaitingFor(
                reason: gate.waitReason, detail: gate.explanation,
                until: gate.opening(after: nil, now: now.timestamp))
        case .closed(let wait):
            WaitingFor(
                reason: gate.waitReason, detail: gate.explanation,
                until: gate.opening(after: wait, now: now.timestamp))
        }
    }

    fileprivate func level(_ meter: Meter) -> RouteStatus.Level? {
        lines[meter].map { line in
            RouteStatus.Level(perMinute: line.bucket.perMinute, available: Int(line.bucket.level))
        }
    }
}
