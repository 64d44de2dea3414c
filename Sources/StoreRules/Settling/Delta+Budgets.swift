package import Jobs

// An attempt's money in the budget windows in which it was reserved, and the thresholds that this crosses.
extension BudgetLedger.Change {
    /// The attempt closes: its worst case is given back, less what it cost and may have cost.
    init(closing attempt: AttemptRecord, cost: Int64, unconfirmedCost: Int64) {
        self.init(
            reserved: .zero - Money(nanodollars: attempt.reservedCost), settled: Money(nanodollars: cost),
            unconfirmedCost: Money(nanodollars: unconfirmedCost))
    }

    /// A late answer says what was unconfirmed.
    init(correcting attempt: AttemptRecord, cost: Int64, unconfirmedCost: Int64) {
        self.init(
            settled: Money(nanodollars: cost),
            unconfirmedCost: Money(nanodollars: unconfirmedCost - attempt.unconfirmedCost))
    }
}

extension Delta {
    /// The cache must have the windows.
    package mutating func apply(
        _ change: BudgetLedger.Change, to windows: [Int64], in rowCache: inout RowCache,
        worstCase: Money = .zero, now: Now
    ) {
        for id in windows {
            guard var window = rowCache.windows[id] else { continue }
            window.ledger.apply(change)
            let crossed = window.ledger.crossed(worstCase: worstCase)
            if window.isInForce {
                noticeExhaustion(of: &window, worstCase: worstCase, now: now.timestamp)
                for percent in crossed { announce(percent, of: window.ledger) }
            }
            rowCache.keep(window)
        }
    }

    /// Says once that the money is spent, and once that there is some again: not with every call that is a little dearer.
    private mutating func noticeExhaustion(of window: inout BudgetWindow, worstCase: Money, now: Timestamp) {
        let ledger = window.ledger
        let spent = ledger.settled + ledger.unconfirmedCost
        let isSpent = spent + worstCase > ledger.budget.limit
        let hasRoom = Double(spent.nanodollars) <= Double(ledger.budget.limit.nanodollars) * 0.9
        guard window.exhaustionLogged ? !isSpent && hasRoom : isSpent else { return }
        window.exhaustionLogged = isSpent
        notice(isSpent ? ledger.spentNotice(at: now) : ledger.roomNotice)
    }

    private mutating func announce(_ percent: Int, of ledger: BudgetLedger) {
        let spent = ledger.settled + ledger.unconfirmedCost
        let budget = ledger.budget
        var message =
            "\(percent) % of budget \(budget.name) is spent: $\(spent) of $\(budget.limit) \(budget.window.description)"
        if ledger.unconfirmedCost > .zero { message += ", $\(ledger.unconfirmedCost) of it maybe" }
        record(NewEvent(.budgetAlert, budget.name, message, percent: percent))
    }
}

extension BudgetLedger {
    fileprivate func spentNotice(at now: Timestamp) -> StateNotice {
        let end = budget.window.end(at: now).map { "; its next window begins at \($0.text)" } ?? ""
        return StateNotice(
            .budget, budget.name, state: "spent",
            cause:
                "$\(settled + unconfirmedCost) of $\(budget.limit) \(budget.window.description) is spent, and another such call does not fit\(end)",
            cure: "raise the budget, or wait; jobs wait meanwhile")
    }

    /// There is money again.
    package var roomNotice: StateNotice {
        StateNotice(
            .budget, budget.name, state: "open",
            cause: "$\(free) of $\(budget.limit) \(budget.window.description) is free",
            isEnd: true)
    }
}
