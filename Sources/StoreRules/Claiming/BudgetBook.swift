package import Jobs

/// The budgets in force with their present windows, as one claim or one check sees them.
package struct BudgetBook: Sendable {
    /// A budget with its present window.
    package struct Entry: Sendable {
        let budget: Int64
        /// Nil before the first money of its window.
        var window: WindowReference?
        var ledger: BudgetLedger
        /// Whether the log has said that the money of an earlier window is spent.
        let earlierExhaustionLogged: Bool
        var isChanged = false

        package init(budget: Int64, window: Int64?, ledger: BudgetLedger, earlierExhaustionLogged: Bool) {
            self.budget = budget
            self.window = window.map { .stored($0) }
            self.ledger = ledger
            self.earlierExhaustionLogged = earlierExhaustionLogged
        }
    }

    private var entries: [Entry]
    private let now: Timestamp
    private let prices: PriceTable

    package init(_ entries: [Entry], now: Timestamp, prices: PriceTable) {
        self.entries = entries
        self.now = now
        self.prices = prices
    }

    package var isEmpty: Bool { entries.isEmpty }

    package var ledgers: [BudgetLedger] { entries.map(\.ledger) }

    private func covering(_ call: PricedCall) -> [Int] {
        entries.indices.filter { entries[$0].ledger.budget.covers(queue: call.queue, tags: call.tags) }
    }

    private func worstCase(of call: PricedCall, maxTokens: Int? = nil) -> Money? {
        prices.price(of: call.route, at: now)?
            .worstCase(
                call.bound, maxTokens: Int64(maxTokens ?? call.maxTokens), isBatch: call.isHalfPrice)
    }
}

/// A call whose money is asked for.
package struct PricedCall: Sendable {
    let bound: CostBound
    let maxTokens: Int
    let route: RouteKey
    let queue: String
    /// Those of the job's tags that have a budget.
    let tags: [String]
    /// Whether it goes with one of the provider's own batches.
    let isHalfPrice: Bool

    package init(
        _ call: CallFacts, route: RouteKey, queue: String, tags: [String], isHalfPrice: Bool = false
    ) {
        bound = call.bound
        maxTokens = call.moneyTokens
        self.route = route
        self.queue = queue
        self.tags = tags
        self.isHalfPrice = isHalfPrice
    }
}

// MARK: - Asking

extension BudgetBook {
    /// Why the job can never be paid for, on its route nor down the chain of those that take calls for want of money; nil if it
    /// can.
    package func refusal(
        of job: Candidate, from home: RouteKey, _ chains: FallbackChains, queue: String, tags: [String],
        spent: () throws -> Money
    ) rethrows -> JobError? {
        guard !entries.isEmpty || job.maxCost != nil else { return nil }
        var position = job.position
        var error: JobError?
        while true {
            let route = chains.route(at: position, of: home)
            let call = PricedCall(job.call, route: route, queue: queue, tags: tags)
            guard let refusal = try refusal(of: call, job, spent: spent) else { return nil }
            error = error ?? refusal
            guard let next = chains.next(after: position, of: home, for: .budget) else { return error }
            position = next
        }
    }

    /// The same of one call.
    package func refusal(
        of call: PricedCall, _ job: Candidate, spent: () throws -> Money
    ) rethrows -> JobError? {
        guard let worst = worstCase(of: call) else {
            // A price may be stated one day; without a limit on its searches the call would keep others waiting for ever.
            guard prices.price(of: call.route, at: now) != nil else { return nil }
            return covering(call).first.map { .neverAffordable(entries[$0].ledger.budget) }
        }
        if let limit = job.maxCost, let most = worstCase(of: call, maxTokens: job.call.maxTokens) {
            let spent = try spent()
            if spent + most > limit { return .maxCostReached(most, spent: spent, limit: limit) }
        }
        let never = covering(call).first { entries[$0].ledger.admission(of: worst) == .never }
        return never.map { .neverAffordable(worst, entries[$0].ledger.budget) }
    }

    /// What keeps the call back: of the budgets that refuse it, the one that does so longest; nil if all can pay for it now.
    package func closure(to call: PricedCall) -> RouteLedger.Admission? {
        let covering = covering(call)
        guard !covering.isEmpty else { return nil }
        guard let worst = worstCase(of: call), let smallest = worstCase(of: call, maxTokens: 1) else {
            return .refused(.budget, unpriced(call), after: nil)
        }
        let refusing = covering.map { entries[$0].ledger }.filter { $0.admission(of: worst) != .affordable }
        func end(_ ledger: BudgetLedger) -> Timestamp? { ledger.budget.window.end(at: now) }
        guard
            let longest = refusing.max(by: {
                end($0)?.milliseconds ?? .max < end($1)?.milliseconds ?? .max
            })
        else { return nil }
        return .refused(
            .budget, longest.explanation(worstCase: worst, smallest: smallest),
            after: end(longest).map { $0 - now })
    }

    private func unpriced(_ call: PricedCall) -> String {
        prices.price(of: call.route, at: now) == nil
            ? "no price is known for \(call.route.model), so that no budget can pay for it: state its price in the configuration"
            : "nothing limits how often the model searches the web, so that no budget can pay for it: set max_uses of web_search"
    }
}

// MARK: - Taking

extension BudgetBook {
    /// Reserves the call's worst case in every budget that covers it; returns it with the windows that hold it.
    package mutating func reserve(for call: PricedCall, _ delta: inout Delta) -> (Money, [WindowReference]) {
        let worst = worstCase(of: call) ?? .zero
        let windows = covering(call).map { index in
            entries[index].ledger.reserve(worst)
            entries[index].isChanged = true
            return window(index, &delta)
        }
        return (worst, windows)
    }

    private mutating func window(_ index: Int, _ delta: inout Delta) -> WindowReference {
        let entry = entries[index]
        if let known = entry.window { return known }
        let window = WindowReference.new(budget: entry.budget)
        entries[index].window = window
        delta.add(
            .openWindow(budget: entry.budget, startsAt: entry.ledger.budget.window.start(at: now)))
        if entry.earlierExhaustionLogged { delta.notice(entry.ledger.roomNotice) }
        return window
    }

    /// What was reserved, as it is to be stored.
    package func save(_ delta: inout Delta) {
        for entry in entries where entry.isChanged {
            guard let window = entry.window else { continue }
            delta.add(.reserve(window, entry.ledger.reserved))
        }
    }
}
