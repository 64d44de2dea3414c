import Jobs

/// What an answer says that its call used, in money.
struct Bill {
    private let usage: Usage
    private let price: Price
    private let reserved: Int64
    private let unreserved: Int

    /// Nil if nothing was billed, or no price is known.
    ///
    /// `unreserved` are tokens of output that the call may use and for
    /// which nothing was reserved.
    init?(
        _ settlement: Settlement, _ attempt: AttemptRecord, unreserved: Int, on route: RouteState,
        _ prices: PriceTable
    ) {
        guard let usage = settlement.answer?.usage ?? settlement.usage, settlement.answer?.isBilled != false,
            let price = prices.price(
                of: route.key, answeredBy: settlement.answer?.model, at: attempt.openedOn)
        else { return nil }
        self.usage = usage
        self.price = price
        reserved = attempt.reservedCost
        self.unreserved = unreserved
    }

    /// By the provider's counts alone.
    var stated: Money { price.cost(of: usage) }

    /// What goes into the books: a call costs no more than its worst case, whatever the provider says.
    var booked: Int64 { min(stated.nanodollars, most) }

    /// What a broken stream used is a guess by its bytes: that it is too high is nothing to report.
    var isExcessive: Bool { usage.isComplete && stated.nanodollars > most }

    /// What the same would have cost without the batch.
    var whole: Int64 {
        var usage = usage
        usage.isBatch = false
        return min(price.cost(of: usage).nanodollars, most.multipliedSaturated(by: 2))
    }

    /// The reservation, or if there was none what any call of this model can cost.
    private var most: Int64 {
        guard reserved > 0 else { return price.mostBelievable.nanodollars }
        return reserved.addingSaturated(price.cost(of: Usage(outputTokens: Int64(unreserved))).nanodollars)
    }

    var description: String {
        let input = [usage.inputTokens, usage.cacheWriteTokens, usage.cacheReadTokens]
            .reduce(Int64(0)) { $0.addingSaturated($1) }
        let searches = usage.webSearches > 0 ? ", \(usage.webSearches) searches on the web" : ""
        return "\(input) tokens of input, \(usage.outputTokens) of output\(searches)"
    }
}
