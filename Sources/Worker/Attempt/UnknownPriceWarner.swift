import Jobs
import Synchronization
import Telemetry

/// Remembers of which routes it was said that nobody knows what their calls cost.
final class UnknownPriceWarner: Sendable {
    private let told = Mutex<Set<RouteKey>>([])

    /// True once for each route.
    func isNews(_ route: RouteKey) -> Bool {
        told.withLock { $0.insert(route).inserted }
    }
}

extension WorkerSession {
    /// A call that used tokens of unknown price is booked as free: that must not go unseen, nor be said a thousand
    /// times.
    func noteCost(of attempt: ClaimedAttempt, _ outcome: Outcome) {
        guard outcome.usage != nil,
            settings.price(
                attempt.route, outcome.answer?.model ?? attempt.route.model, attempt.openedAt) == nil,
            priceWarner.isNews(attempt.route)
        else { return }
        log.warning(
            "no price is known for a route, its calls count as free and no budget holds them",
            ["route": "\(attempt.route.name)"])
    }
}
