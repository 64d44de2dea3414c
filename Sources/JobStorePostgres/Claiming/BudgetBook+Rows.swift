import Jobs
import Postgres
import StoreRules

extension BudgetBook {
    static func call(at now: Timestamp) -> Call {
        Call(
            .budgetBook,
            [
                .integer(Budget.Window.day.start(at: now).milliseconds),
                .integer(Budget.Window.month.start(at: now).milliseconds),
            ])
    }

    static func read(_ rows: Rows, now: Timestamp, prices: PriceTable) throws -> BudgetBook {
        let entries = try rows.map { row in
            Entry(
                budget: try row.int64(10), window: try row.int64OrNil(11), ledger: try BudgetLedger(row),
                earlierExhaustionLogged: try row.bool(12))
        }
        return BudgetBook(entries, now: now, prices: prices)
    }

    static func load(_ access: Access, now: Timestamp, prices: PriceTable) throws -> BudgetBook {
        try read(access.query([call(at: now)])[0], now: now, prices: prices)
    }
}

extension BudgetLedger {
    /// Name, scope, subject, span, amount, alerts, settled, reserved, unconfirmed and alerted, in this order; the last four
    /// are null before a window's first money.
    init(_ row: Row) throws {
        let subject = try row.text(2)
        let scope: Budget.Scope =
            switch try row.text(1) {
            case "queue": .queue(subject)
            case "tag": .tag(subject)
            default: .all
            }
        let budget = Budget(
            name: try row.text(0), scope: scope, window: Budget.Window(rawValue: try row.text(3)) ?? .total,
            limit: Money(nanodollars: try row.int64(4)),
            alerts: try row.text(5).split(separator: ",").compactMap { Int($0) })
        self.init(
            budget: budget, settled: Money(nanodollars: try row.int64OrNil(6) ?? 0),
            reserved: Money(nanodollars: try row.int64OrNil(7) ?? 0),
            unconfirmedCost: Money(nanodollars: try row.int64OrNil(8) ?? 0),
            alerted: try row.intOrNil(9) ?? 0)
    }
}

extension BudgetWindow {
    static func load(_ ids: [Int64], _ access: Access) throws -> [BudgetWindow] {
        guard !ids.isEmpty else { return [] }
        return try read(access.query([call(ids)])[0])
    }

    static func call(_ ids: [Int64]) -> Call { Call(.budgetWindows, [.integerArray(ids)]) }
    static func call(of attempts: [Value]) -> Call { Call(.windowsOfAttempts, attempts) }

    static func read(_ rows: Rows) throws -> [BudgetWindow] {
        try rows.map { row in
            BudgetWindow(
                id: try row.int64(10), ledger: try BudgetLedger(row), isInForce: try row.bool(11),
                exhaustionLogged: try row.bool(12))
        }
    }

    func save(_ context: WriteContext) {
        context.run(
            .saveBudgetWindow,
            [
                .integer(id), .integer(ledger.settled.nanodollars), .integer(ledger.reserved.nanodollars),
                .integer(ledger.unconfirmedCost.nanodollars), .integer(ledger.alerted),
                .bool(exhaustionLogged),
            ])
    }
}

extension Statement {
    fileprivate static let budgetBook = Statement(
        "budget-book",
        """
        SELECT budget.name, budget.scope, budget.subject, budget.span, budget.amount, budget.alerts,
            budget_window.settled, budget_window.reserved, budget_window.unconfirmed_cost, budget_window.alerted,
            budget.id, budget_window.id,
            budget_window.id IS NULL AND EXISTS (
                SELECT 1
                FROM budget_window AS earlier
                WHERE earlier.budget_id = budget.id AND earlier.exhaustion_logged
            )
        FROM budget
        LEFT JOIN budget_window
            ON budget_window.budget_id = budget.id
            AND budget_window.starts_at = CASE budget.span
                WHEN 'day' THEN $1::bigint WHEN 'month' THEN $2::bigint ELSE 0
            END
        WHERE budget.active
        ORDER BY budget.name
        """, .bigint, .bigint)
    private static func windows(_ ids: String) -> String {
        """
        SELECT budget.name, budget.scope, budget.subject, budget.span, budget.amount, budget.alerts,
            budget_window.settled, budget_window.reserved, budget_window.unconfirmed_cost, budget_window.alerted,
            budget_window.id, budget.active, budget_window.exhaustion_logged
        FROM budget_window
        JOIN budget ON budget.id = budget_window.budget_id
        WHERE budget_window.id = ANY (\(ids))
        """
    }
    fileprivate static let budgetWindows = Statement(
        "budget-windows", assembled: windows("$1::bigint[]"), [.bigints], isKept: true)
    fileprivate static let windowsOfAttempts = Statement(
        "windows-of-attempts",
        assembled: windows(WantedAttempts.values(of: "unnest(attempt.budget_windows)")),
        [.bigints, .bigints], isKept: true)
    fileprivate static let saveBudgetWindow = Statement(
        "save-budget-window",
        """
        UPDATE budget_window
        SET settled = $2::bigint, reserved = $3::bigint, unconfirmed_cost = $4::bigint, alerted = $5::bigint,
            exhaustion_logged = $6::boolean
        WHERE id = $1::bigint
        """, .bigint, .bigint, .bigint, .bigint, .bigint, .bool)
}
