import Jobs

/// A job's step along its route's chain, because of how its call ended.
enum FallbackStep {
    /// Down to another route, for good.
    case down(to: Int, Fallback.Cause)
    /// Back from a route that it was lent to for one call, and that cannot be asked such a thing.
    case back(until: Timestamp, JobError)

    /// A job that came back waits so long for its own route: until then it would only be lent again.
    private static let pause: Milliseconds = 30_000

    /// Without blame: it is another route's turn.
    var resolved: ResolvedVerdict {
        switch self {
        case .down: ResolvedVerdict(resolution: .ready, counted: false, word: "fell_back")
        case .back(let until, let error):
            ResolvedVerdict(resolution: .held(until: until, error), counted: false, word: "waited")
        }
    }

    static func find(
        _ settlement: Settlement, _ snapshot: SettleSnapshot, _ chains: FallbackChains, now: Now
    ) -> FallbackStep? {
        guard !chains.isEmpty, let cause = Fallback.Cause(settlement), let home = snapshot.home else {
            return nil
        }
        if let position = chains.next(after: snapshot.attempt.position, of: home, for: cause) {
            return .down(to: position, cause)
        }
        guard case .failed(var error) = settlement.verdict, error.saysUnsendable,
            snapshot.attempt.position > snapshot.job.position
        else { return nil }
        error.retryable = true
        return .back(until: now.timestamp + pause, error)
    }
}
