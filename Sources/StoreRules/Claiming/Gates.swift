package import Jobs

/// The gates between a job and its call: each is judged here, for claims, for the check for work, and for what a waiting job says.
package struct Gates {
    /// As the lane's jobs see it: streaks do not hold back calls that somebody waits for.
    package let queue: QueueState
    /// Those of the jobs' tags that have a budget.
    package let tags: [String]
    package let book: BudgetBook
    package let now: Now

    package init(queue: QueueState, tags: [String], isInteractive: Bool, book: BudgetBook, now: Now) {
        self.queue = isInteractive ? queue.withoutStreaks : queue
        self.tags = tags
        self.book = book
        self.now = now
    }

    /// Asks all gates of a route in the order in which a claim meets them; `key` is the worker's own, if it is refused.
    package func admission(
        of call: CallFacts, on route: RouteState, key: CredentialState? = nil
    ) -> RouteLedger.Admission {
        if let closure = concurrency ?? key?.closure(at: now.moment) ?? streak(on: route) { return closure }
        let admission = limits(call, on: route)
        guard case .admitted = admission else { return admission }
        return budget(call, on: route.key) ?? admission
    }

    /// What the operator says of the queue.
    package var pause: RouteLedger.Admission? {
        queue.paused ? .refused(.pause, "queue \(queue.name) is paused", after: nil) : nil
    }

    /// The queue's own cap on calls in flight.
    package var concurrency: RouteLedger.Admission? {
        guard let limit = queue.concurrency, queue.running >= limit else { return nil }
        return .refused(
            .concurrency, "\(queue.running) of \(limit) jobs of \(queue.name) run", after: nil)
    }

    /// What keeps every one of the queue's jobs from a route, whatever the route itself says.
    package func streak(on route: RouteState) -> RouteLedger.Admission? {
        guard let held = heldBack(on: route), let wait = held.after else { return nil }
        return .refused(.pause, held.detail, after: wait)
    }

    /// Why the queue's jobs are held back on a route.
    ///
    /// Without `after` the next one may try, while the others wait for what becomes of it.
    package func heldBack(on route: RouteState) -> (detail: String, after: Milliseconds?)? {
        guard let streak = queue.streaks[route.id] else { return nil }
        let wait = streak.wait(at: now.moment)
        guard streak.isHeld || wait != nil else { return nil }
        return (streak.explanation(queue: queue.name, route: route.key), wait)
    }

    /// The route's own gate and its limits.
    package func limits(_ call: CallFacts, on route: RouteState) -> RouteLedger.Admission {
        let need = route.ledger.need(requestBytes: call.requestBytes, maxTokens: call.maxTokens)
        return route.ledger.admission(of: need, in: queue.line(on: route.id), now: now.moment)
    }

    package func budget(
        _ call: CallFacts, on route: RouteKey, isHalfPrice: Bool = false
    ) -> RouteLedger.Admission? {
        book.closure(to: priced(call, on: route, isHalfPrice: isHalfPrice))
    }

    package func priced(_ call: CallFacts, on route: RouteKey, isHalfPrice: Bool = false) -> PricedCall {
        PricedCall(call, route: route, queue: queue.name, tags: tags, isHalfPrice: isHalfPrice)
    }
}
