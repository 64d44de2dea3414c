import Jobs
import Postgres
import StoreRules

extension WriteContext {
    func openWindow(of budget: Int64, startsAt: Timestamp) throws {
        let values: [Value] = [.integer(budget), .integer(startsAt.milliseconds)]
        guard let window = try queryOne(.openWindow, values, { row in try row.int64(0) }) else {
            throw JobStoreError(.internal, "the database opened no window of budget \(budget)")
        }
        newWindows[budget] = window
        run(.forgetExhaustion, [.integer(budget), .integer(window)])
    }

    func reserve(_ money: Money, in window: WindowReference) throws {
        run(.reserveInWindow, [.integer(try id(of: window)), .integer(money.nanodollars)])
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
            self.change(id, to: budget, statedBy: file, announcesAnew: announcesAnew)
        case .retire(let id): run(.retireBudget, [.integer(id)])
        case .remove(let name): run(.removeBudget, [.text(name)])
        case .leaveFiles: run(.leaveFiles)
        }
    }

    private func begin(_ budget: Budget, statedBy file: String?, _ opening: OpeningBalance) throws {
        let (scope, subject) = budget.scope.columns
        let values: [Value] = [
            .text(budget.name), .text(scope), .text(subject), .text(budget.window.rawValue),
            .integer(budget.limit.nanodollars), .text(budget.alertsText), .text(file),
            .integer(opening.startsAt.milliseconds), .integer(opening.settled.nanodollars),
            .integer(opening.reserved.nanodollars), .integer(opening.unconfirmedCost.nanodollars),
            .integer(opening.spentBefore.nanodollars), .integer(opening.excess.nanodollars),
        ]
        guard let window = try queryOne(.beginBudget, values, { row in try row.int64(0) }) else {
            throw JobStoreError(.internal, "the database took no budget \(budget.name)")
        }
        add(window: window, to: opening.attempts)
    }

    /// The attempts move their money in this window too.
    private func add(window: Int64, to attempts: [AttemptKey]) {
        guard !attempts.isEmpty else { return }
        let values: [Value] = [
            .integer(window), .integers(attempts.map(\.job.value)), .integers(attempts.map(\.number)),
        ]
        run(.addWindowToFlights, values)
        run(.addWindowToAttempts, values)
    }

    private func change(_ id: Int64, to budget: Budget, statedBy file: String?, announcesAnew: Bool) {
        run(
            .changeBudget,
            [.integer(id), .integer(budget.limit.nanodollars), .text(budget.alertsText), .text(file)])
        if announcesAnew { run(.announceAnew, [.integer(id)]) }
    }

    func clearUnconfirmed(_ key: AttemptKey) {
        run(.clearUnconfirmed, [.integer(key.job.value), .integer(key.number)])
    }
}

extension Budget {
    fileprivate var alertsText: String { alerts.map(String.init).joined(separator: ",") }
}

extension Statement {
    fileprivate static let openWindow = Statement(
        "open-window",
        "INSERT INTO budget_window (budget_id, starts_at) VALUES ($1::bigint, $2::bigint) RETURNING id",
        .bigint, .bigint)
    fileprivate static let forgetExhaustion = Statement(
        "forget-exhaustion",
        """
        UPDATE budget_window
        SET exhaustion_logged = false
        WHERE budget_id = $1::bigint AND id <> $2::bigint AND exhaustion_logged
        """, .bigint, .bigint)
    fileprivate static let reserveInWindow = Statement(
        "reserve-in-window", "UPDATE budget_window SET reserved = $2::bigint WHERE id = $1::bigint", .bigint,
        .bigint)

    /// With its first window.
    fileprivate static let beginBudget = Statement(
        "begin-budget",
        """
        WITH new AS (
            INSERT INTO budget (name, scope, subject, span, amount, alerts, stated_by)
            VALUES ($1::text, $2::text, $3::text, $4::text, $5::bigint, $6::text, $7::text)
            RETURNING id
        )
        INSERT INTO budget_window (budget_id, starts_at, settled, reserved, unconfirmed_cost, spent_before, excess)
        SELECT id, $8::bigint, $9::bigint, $10::bigint, $11::bigint, $12::bigint, $13::bigint
        FROM new
        RETURNING id
        """, .text, .text, .text, .text, .bigint, .text, .text, .bigint, .bigint, .bigint, .bigint, .bigint,
        .bigint)
    fileprivate static let addWindowToFlights = Statement(
        "add-window-to-flights",
        """
        UPDATE flight
        SET budget_windows = budget_windows || $1::bigint
        FROM unnest($2::bigint[], $3::bigint[]) AS moving (job_id, number)
        WHERE flight.job_id = moving.job_id AND flight.number = moving.number
        """, .bigint, .bigints, .bigints)
    fileprivate static let addWindowToAttempts = Statement(
        "add-window-to-attempts",
        """
        UPDATE attempt
        SET budget_windows = budget_windows || $1::bigint
        FROM unnest($2::bigint[], $3::bigint[]) AS moving (job_id, number)
        WHERE attempt.job_id = moving.job_id AND attempt.number = moving.number
        """, .bigint, .bigints, .bigints)
    fileprivate static let changeBudget = Statement(
        "change-budget",
        "UPDATE budget SET amount = $2::bigint, alerts = $3::text, stated_by = $4::text WHERE id = $1::bigint",
        .bigint, .bigint, .text, .text)
    fileprivate static let announceAnew = Statement(
        "announce-budget-anew", "UPDATE budget_window SET alerted = 0 WHERE budget_id = $1::bigint", .bigint)
    fileprivate static let retireBudget = Statement(
        "retire-budget", "UPDATE budget SET active = false, name = name || '#' || id WHERE id = $1::bigint",
        .bigint)
    fileprivate static let removeBudget = Statement(
        "remove-budget",
        "UPDATE budget SET active = false, stated_by = NULL WHERE name = $1::text AND active", .text)
    fileprivate static let leaveFiles = Statement(
        "leave-budget-files", "UPDATE budget SET stated_by = NULL WHERE stated_by IS NOT NULL")
    fileprivate static let clearUnconfirmed = Statement(
        "clear-unconfirmed",
        """
        UPDATE attempt
        SET cleared = cleared + unconfirmed_cost, unconfirmed_cost = 0
        WHERE job_id = $1::bigint AND number = $2::bigint
        """, .bigint, .bigint)
}
