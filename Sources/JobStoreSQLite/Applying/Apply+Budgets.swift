import Jobs
import SQLite
import StoreRules

extension WriteContext {
    func openWindow(of budget: Int64, startsAt: Timestamp) throws {
        _ = try connection.run(
            "INSERT INTO budget_window (budget_id, starts_at) VALUES (?1, ?2)",
            [.integer(budget), .integer(startsAt.milliseconds)])
        let window = connection.lastInsertRowID
        newWindows[budget] = window
        _ = try connection.run(
            "UPDATE budget_window SET exhaustion_logged = 0 WHERE budget_id = ?1 AND id <> ?2 AND exhaustion_logged = 1",
            [.integer(budget), .integer(window)])
    }

    func reserve(_ money: Money, in window: WindowReference) throws {
        _ = try connection.run(
            "UPDATE budget_window SET reserved = ?2 WHERE id = ?1",
            [.integer(try id(of: window)), .integer(money.nanodollars)])
    }

    func id(of window: WindowReference) throws -> Int64 {
        switch window {
        case .stored(let id): return id
        case .new(let budget):
            guard let id = newWindows[budget] else {
                throw JobStoreError(.internal, "a window of budget \(budget) was used before it was opened")
            }
            return id
        }
    }
}

// MARK: - What operators set

extension WriteContext {
    func update(_ change: BudgetChange) throws {
        switch change {
        case .begin(let budget, let file, let opening): try begin(budget, statedBy: file, opening)
        case .change(let id, let budget, let file, let announcesAnew):
            try self.change(id, to: budget, statedBy: file, announcesAnew: announcesAnew)
        case .retire(let id):
            _ = try connection.run(
                "UPDATE budget SET active = 0, name = name || '#' || id WHERE id = ?1", [.integer(id)])
        case .remove(let name):
            _ = try connection.run(
                "UPDATE budget SET active = 0, stated_by = NULL WHERE name = ?1 AND active = 1", [.text(name)]
            )
        case .leaveFiles:
            _ = try connection.run("UPDATE budget SET stated_by = NULL WHERE stated_by IS NOT NULL")
        }
    }

    private func begin(_ budget: Budget, statedBy file: String?, _ opening: OpeningBalance) throws {
        let (scope, subject) = budget.scope.columns
        _ = try connection.run(
            """
            INSERT INTO budget (name, scope, subject, span, amount, alerts, stated_by)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            """,
            [
                .text(budget.name), .text(scope), .text(subject), .text(budget.window.rawValue),
                .integer(budget.limit.nanodollars), .text(budget.alertsText), .text(file),
            ])
        _ = try connection.run(
            """
            INSERT INTO budget_window (
                budget_id, starts_at, settled, reserved, unconfirmed_cost, spent_before, excess
            )
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            """,
            [
                .integer(connection.lastInsertRowID), .integer(opening.startsAt.milliseconds),
                .integer(opening.settled.nanodollars), .integer(opening.reserved.nanodollars),
                .integer(opening.unconfirmedCost.nanodollars), .integer(opening.spentBefore.nanodollars),
                .integer(opening.excess.nanodollars),
            ])
        let window = connection.lastInsertRowID
        for key in opening.attempts { try add(window: window, to: key) }
    }

    /// The attempt moves its money in this window too.
    private func add(window: Int64, to key: AttemptKey) throws {
        _ = try connection.run(
            """
            UPDATE attempt
            SET budget_windows = coalesce(budget_windows, ',') || ?3 || ','
            WHERE job_id = ?1 AND number = ?2
            """, [.integer(key.job.value), .integer(key.number), .text(String(window))])
    }

    private func change(
        _ id: Int64, to budget: Budget, statedBy file: String?, announcesAnew: Bool
    ) throws {
        _ = try connection.run(
            "UPDATE budget SET amount = ?2, alerts = ?3, stated_by = ?4 WHERE id = ?1",
            [
                .integer(id), .integer(budget.limit.nanodollars), .text(budget.alertsText), .text(file),
            ])
        guard announcesAnew else { return }
        _ = try connection.run("UPDATE budget_window SET alerted = 0 WHERE budget_id = ?1", [.integer(id)])
    }

    func clearUnconfirmed(_ key: AttemptKey) throws {
        _ = try connection.run(
            "UPDATE attempt SET cleared = cleared + unconfirmed_cost, unconfirmed_cost = 0 WHERE job_id = ?1 AND number = ?2",
            [.integer(key.job.value), .integer(key.number)])
    }
}

extension Budget {
    fileprivate var alertsText: String { alerts.map(String.init).joined(separator: ",") }
}

extension BudgetWindow {
    static func load(_ id: Int64, _ connection: Connection) throws -> BudgetWindow? {
        try connection.queryOne(
            """
            SELECT budget.name, budget.scope, budget.subject, budget.span, budget.amount, budget.alerts,
                budget_window.settled, budget_window.reserved, budget_window.unconfirmed_cost, budget_window.alerted,
                budget.active, budget_window.exhaustion_logged
            FROM budget_window
            JOIN budget ON budget.id = budget_window.budget_id
            WHERE budget_window.id = ?1
            """, [.integer(id)]
        ) { row in
            BudgetWindow(
                id: id, ledger: BudgetLedger(row), isInForce: row.bool(10), exhaustionLogged: row.bool(11))
        }
    }

    func save(_ connection: Connection) throws {
        _ = try connection.run(
            """
            UPDATE budget_window
            SET settled = ?2, reserved = ?3, unconfirmed_cost = ?4, alerted = ?5, exhaustion_logged = ?6
            WHERE id = ?1
            """,
            [
                .integer(id), .integer(ledger.settled.nanodollars), .integer(ledger.reserved.nanodollars),
                .integer(ledger.unconfirmedCost.nanodollars), .integer(ledger.alerted),
                .bool(exhaustionLogged),
            ])
    }
}
