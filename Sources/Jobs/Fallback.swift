/// Another route that may answer in a route's place.
package struct Fallback: Hashable, Sendable {
    /// Why a call leaves its own route.
    package enum Cause: String, Sendable, CaseIterable {
        /// 529, or 503 that says so.
        case overloaded
        /// The route's breaker is open.
        case breaker
        /// A limit per minute, the provider's `retry-after`, or the route's concurrency.
        case rateLimit = "rate_limit"
        /// A budget or the provider's spend cap.
        case budget
        /// The provider refused the request for good.
        case refused
        case contextTooLong = "context_too_long"
    }

    package var route: RouteKey
    package var causes: Set<Cause>

    package init(route: RouteKey, causes: Set<Cause>) {
        self.route = route
        self.causes = causes
    }
}
