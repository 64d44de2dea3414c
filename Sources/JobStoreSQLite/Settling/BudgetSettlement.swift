import Jobs
import SQLite

/// Moves an attempt's money in the budget windows where it was reserved, and announces thresholds that this crosses.
struct BudgetSettlement {
    let context: WriteContext

    init(_ context: WriteContext) {
        self.context = context
    }

    /// The attempt closes: its worst case is given back, less what it cost and may have cost.
    func close(_ attempt: StoredAttempt, cost: Int64, unconfirmedCost: Int64) throws {
        let worst = Money(nanodollars: attempt.reservedCost)
        let change = BudgetLedger.Change(
            reserved: .zero - worst, settled: Money(nanodollars: cost),
            unconfirmedCost: Money(nanodollars: unconfirmedCost))
        try apply(change, to: attempt.windows, worstCase: worst)
    }

    /// A late answer says what was unconfirmed.
    func correct(_ attempt: StoredAttempt, cost: Int64, unconfirmedCost: Int64) throws {
        let change = BudgetLedger.Change(
            settled: Money(nanodollars: cost),
            unconfirmedCost: Money(nanodollars: unconfirmedCost - attempt.unconfirmedCost))
        try apply(change, to: attempt.windows, worstCase: Money(nanodollars: attempt.reservedCost))
    }

    /// `windows` as an attempt names them; nil where no budget covered it.
    func apply(_ change: BudgetLedger.Change, to windows: String?, worstCase: Money = .zero) throws {
        for window in windows?.split(separator: ",").compactMap({ Int64($0) }) ?? [] {
            guard let (found, isInForce, isTold) = try find(window) else { continue }
            var ledger = found
            ledger.apply(change)
            let crossed = ledger.crossed(worstCase: worstCase)
            try save(ledger, window)
            guard isInForce else { continue }
            try tell(of: ledger, worstCase: worstCase, isTold: isTold, window)
            for percent in crossed { try announce(percent, of: ledger) }
        }
    }

    /// Says once that the money is spent, and once that there is some again: not with every call that is a little dearer.
    private func tell(of ledger: BudgetLedger, worstCase: Money, isTold: Bool, _ window: Int64) throws {
        let spent = ledger.settled + ledger.unconfirmedCost
        let isSpent = spent + worstCase > ledger.budget.limit
        let hasRoom = Double(spent.nanodollars) <= Double(ledger.budget.limit.nanodollars) * 0.9
        guard isTold ? !isSpent && hasRoom : isSpent else { return }
        _ = try context.connection.run(
            "UPDATE budget_window SET exhaustion_logged = ?2 WHERE id = ?1",
            [.integer(window), .bool(isSpent)])
        context.noticed(isSpent ? ledger.spentNotice(at: context.now.timestamp) : ledger.roomNotice)
    }

    private func find(_ window: Int64) throws -> (BudgetLedger, isInForce: Bool, isTold: Bool)? {
        try context.connection.queryOne(
            """
            SELECT budget.name, budget.scope, budget.subject, budget.span, budget.amount, budget.alerts,
                budget_window.settled, budget_window.reserved, budget_window.unconfirmed_cost, budget_window.alerted,
                budget.active, budget_window.exhaustion_logged
            FROM budget_window
            JOIN budget ON budget.id = budget_window.budget_id
            WHERE budget_window.id = ?1
            """, [.integer(window)], { row in (BudgetLedger(row), row.bool(10), row.bool(11)) })
    }

    private func save(_ ledger: BudgetLedger, _ window: Int64) throws {
        _ = try context.connection.run(
            """
            UPDATE budget_window
            SET settled = ?2, reserved = ?3, unconfirmed_cost = ?4, alerted = ?5
            WHERE id = ?1
            """,
            [
                .integer(window), .integer(ledger.settled.nanodollars), .integer(ledger.reserved.nanodollars),
                .integer(ledger.unconfirmedCost.nanodollars), .integer(ledger.alerted),
            ])
    }

    private func announce(_ percent: Int, of ledger: BudgetLedger) throws {
        let spent = ledger.settled + ledger.unconfirmedCost
        let budget = ledger.budget
        var message =
            "\(percent) % of budget \(budget.name) is spent: $\(spent) of $\(budget.limit) \(budget.window.words)"
        if ledger.unconfirmedCost > .zero { message += ", $\(ledger.unconfirmedCost) of it maybe" }
        try Events.record(.budgetAlert, budget.name, message, percent: percent, context)
    }
}

extension BudgetLedger {
    fileprivate func spentNotice(at now: Timestamp) -> StateNotice {
        let end = budget.window.end(at: now).map { "; its next window begins at \($0.text)" } ?? ""
        return StateNotice(
            .budget, budget.name, state: "spent",
            cause:
                "$\(settled + unconfirmedCost) of $\(budget.limit) \(budget.window.words) is spent, and another such call does not fit\(end)",
            cure: "raise the budget, or wait; jobs wait meanwhile")
    }

    /// There is money again.
    var roomNotice: StateNotice {
        StateNotice(
            .budget, budget.name, state: "open",
            cause: "$\(free) of $\(budget.limit) \(budget.window.words) is free",
            isEnd: true)
    }
}
