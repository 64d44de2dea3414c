/// One window of a budget: what of it is spent, promised and perhaps spent.
///
/// Pure: a store loads it, asks it, and writes it back in the same transaction. An attempt's worst case is reserved at
/// its claim; its closing turns that into what it cost, into what it may have cost, and gives back the rest. So the sum
/// of the three never passes the limit, and each attempt's money leaves it once.
package struct BudgetLedger: Hashable, Sendable {
    package var budget: Budget
    package var settled: Money
    package var reserved: Money
    /// What calls may have cost whose answers never came.
    package var unconfirmedCost: Money
    /// The highest threshold that was announced in this window, in percent.
    package var alerted: Int

    package init(
        budget: Budget, settled: Money = .zero, reserved: Money = .zero, unconfirmedCost: Money = .zero,
        alerted: Int = 0
    ) {
        self.budget = budget
        self.settled = settled
        self.reserved = reserved
        self.unconfirmedCost = unconfirmedCost
        self.alerted = alerted
    }

    /// What may still be reserved.
    package var free: Money { max(.zero, budget.limit - settled - reserved - unconfirmedCost) }

    // MARK: Claiming

    package enum Admission: Hashable, Sendable {
        case affordable
        case notNow
        /// Not even an untouched window would do.
        case never
    }

    package func admission(of worstCase: Money) -> Admission {
        if worstCase <= free { return .affordable }
        return worstCase > budget.limit ? .never : .notNow
    }

    package mutating func reserve(_ worstCase: Money) {
        reserved = reserved + worstCase
    }

    // MARK: Closing

    /// An attempt's money as its closing changes it: what goes back, what was spent, what may have been.
    package struct Change: Hashable, Sendable {
        package var reserved: Money
        package var settled: Money
        package var unconfirmedCost: Money

        package init(reserved: Money = .zero, settled: Money = .zero, unconfirmedCost: Money = .zero) {
            self.reserved = reserved
            self.settled = settled
            self.unconfirmedCost = unconfirmedCost
        }
    }

    package mutating func apply(_ change: Change) {
        reserved = reserved + change.reserved
        settled = settled + change.settled
        unconfirmedCost = unconfirmedCost + change.unconfirmedCost
    }

    /// The thresholds that have been crossed since the last were announced; they are announced now.
    ///
    /// A budget is spent as soon as another call like this one, at its worst, no longer fits: what is left then can
    /// stay unspent for ever.
    package mutating func crossed(worstCase: Money) -> [Int] {
        let spent = settled + unconfirmedCost
        let isSpent = spent + worstCase > budget.limit
        let crossed = budget.alerts.filter { percent in
            guard percent > alerted else { return false }
            if percent >= 100, isSpent { return true }
            return Double(spent.nanodollars) * 100 >= Double(budget.limit.nanodollars) * Double(percent)
        }
        alerted = crossed.max() ?? alerted
        return crossed
    }

    // MARK: Explanation

    /// Why a call waits, for people; `smallest` is what it would cost at worst with `max_tokens` 1.
    package func explanation(worstCase: Money, smallest: Money) -> String {
        var text =
            "budget \(budget.name): $\(free) of $\(budget.limit) \(budget.window.description) is left, "
            + "this call may cost $\(worstCase)"
        if reserved > .zero { text += "; $\(reserved) is reserved by calls in flight" }
        if unconfirmedCost > .zero { text += "; $\(unconfirmedCost) is unconfirmed" }
        if smallest <= free, smallest < worstCase { text += "; a smaller max_tokens would help" }
        return text
    }
}

extension JobError {
    /// The budget that can never pay for a job, even when nothing else is spent.
    package static func neverAffordable(_ worstCase: Money, _ budget: Budget) -> JobError {
        JobError(
            type: "never_affordable",
            message:
                "the call may cost $\(worstCase), more than all of budget \(budget.name), $\(budget.limit) "
                + "\(budget.window.description); a smaller max_tokens or a shorter prompt would help",
            retryable: false)
    }

    /// Nothing limits what the call can cost.
    package static func neverAffordable(_ budget: Budget) -> JobError {
        JobError(
            type: "never_affordable",
            message:
                "nothing limits how often the model searches the web, so budget \(budget.name) cannot pay for the call: "
                + "set max_uses of web_search",
            retryable: false)
    }

    /// The job's own limit.
    package static func maxCostReached(_ worstCase: Money, spent: Money, limit: Money) -> JobError {
        JobError(
            type: "max_cost_reached",
            message: "the next call may cost $\(worstCase), and the attempts before it cost up to $\(spent); "
                + "max_cost_usd is $\(limit)",
            retryable: false)
    }
}
