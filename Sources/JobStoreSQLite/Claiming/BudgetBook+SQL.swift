import Jobs
import SQLite
import StoreRules

extension BudgetBook {
    static func load(_ connection: Connection, now: Timestamp, prices: PriceTable) throws -> BudgetBook {
        let entries = try connection.query(
            """
            SELECT budget.name, budget.scope, budget.subject, budget.span, budget.amount, budget.alerts,
                budget_window.settled, budget_window.reserved, budget_window.unconfirmed_cost, budget_window.alerted,
                budget.id, budget_window.id,
                budget_window.id IS NULL AND EXISTS (
                    SELECT 1
                    FROM budget_window AS earlier
                    WHERE earlier.budget_id = budget.id AND earlier.exhaustion_logged = 1
                )
            FROM budget
            LEFT JOIN budget_window
                ON budget_window.budget_id = budget.id
                AND budget_window.starts_at = CASE budget.span WHEN 'day' THEN ?1 WHEN 'month' THEN ?2 ELSE 0 END
            WHERE budget.active = 1
            ORDER BY budget.name
            """,
            [
                .integer(Budget.Window.day.start(at: now).milliseconds),
                .integer(Budget.Window.month.start(at: now).milliseconds),
            ]
        ) { row in
            Entry(
                budget: row.int64(10), window: row.int64OrNil(11), ledger: BudgetLedger(row),
                earlierExhaustionLogged: row.bool(12))
        }
        return BudgetBook(entries, now: now, prices: prices)
    }
}

extension BudgetLedger {
    /// Name, scope, subject, span, amount, alerts, settled, reserved, unconfirmed and alerted, in this order; the last four
    /// are null before a window's first money.
    init(_ row: borrowing Row) {
        let subject = row.text(2)
        let scope: Budget.Scope =
            switch row.text(1) {
            case "queue": .queue(subject)
            case "tag": .tag(subject)
            default: .all
            }
        let budget = Budget(
            name: row.text(0), scope: scope, window: Budget.Window(rawValue: row.text(3)) ?? .total,
            limit: Money(nanodollars: row.int64(4)),
            alerts: row.text(5).split(separator: ",").compactMap { Int($0) })
        self.init(
            budget: budget, settled: Money(nanodollars: row.int64OrNil(6) ?? 0),
            reserved: Money(nanodollars: row.int64OrNil(7) ?? 0),
            unconfirmedCost: Money(nanodollars: row.int64OrNil(8) ?? 0), alerted: row.intOrNil(9) ?? 0)
    }
}
