package import Jobs
import SQLite

extension SQLiteJobStore {
    package func configure(budgets: [Budget], now: Now) async throws {
        guard !budgets.isEmpty else { return }
        try await write(now: now) { operation in
            let before = try LaneBudget.load(operation.connection)
            for budget in budgets { try Budgets(operation).state(budget) }
            try LaneMoves.begin(from: before, operation)
        }
        try await moveLanes(now: now)
    }

    package func remove(budget name: String, now: Now) async throws -> Bool {
        let removed = try await write(now: now) { operation in
            let before = try LaneBudget.load(operation.connection)
            let removed = try operation.connection.run(
                "UPDATE budget SET active = 0 WHERE name = ?1 AND active = 1", [.text(name)])
            try LaneMoves.begin(from: before, operation)
            return removed > 0
        }
        try await moveLanes(now: now)
        return removed
    }

    package func budgets(now: Now) async throws -> [BudgetStatus] {
        let prices = settings.prices
        return try await read { connection in
            try Purse.load(connection, now: now.timestamp, prices: prices).ledgers
                .map { BudgetStatus($0, at: now.timestamp) }
        }
    }

    package func clearMaybePaid(budget name: String, now: Now) async throws -> BudgetStatus? {
        let prices = settings.prices
        return try await write(now: now) { operation in
            guard try Budgets(operation).clear(name) else { return nil }
            return try Purse.load(operation.connection, now: now.timestamp, prices: prices).ledgers
                .first { $0.budget.name == name }
                .map { BudgetStatus($0, at: now.timestamp) }
        }
    }
}

extension BudgetStatus {
    init(_ ledger: BudgetLedger, at now: Timestamp) {
        let window = ledger.budget.window
        self.init(ledger: ledger, startsAt: window.start(at: now), endsAt: window.end(at: now))
    }
}

/// Stating budgets, and clearing what was maybe paid.
private struct Budgets {
    let operation: Operation
    var connection: Connection { operation.connection }

    init(_ operation: Operation) {
        self.operation = operation
    }

    private struct Known {
        let id: Int64
        let scope: String
        let subject: String
        let span: String
        let amount: Int64
    }

    func state(_ budget: Budget) throws {
        let (scope, subject) = budget.scope.words
        if let known = try find(budget.name) {
            if (known.scope, known.subject, known.span) == (scope, subject, budget.window.rawValue) {
                return try change(known, to: budget)
            }
            // Other jobs or another time: another budget, which begins anew. Attempts may still be open in the old one.
            _ = try connection.run(
                "UPDATE budget SET active = 0, name = name || '#' || id WHERE id = ?1", [.integer(known.id)])
        }
        _ = try connection.run(
            """
            INSERT INTO budget (name, scope, subject, span, amount, alerts)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            """,
            [
                .text(budget.name), .text(scope), .text(subject), .text(budget.window.rawValue),
                .integer(budget.limit.nanodollars), .text(budget.alertsText),
            ])
    }

    private func find(_ name: String) throws -> Known? {
        try connection.queryOne(
            "SELECT id, scope, subject, span, amount FROM budget WHERE name = ?1", [.text(name)],
            { row in
                Known(
                    id: row.int64(0), scope: row.text(1), subject: row.text(2), span: row.text(3),
                    amount: row.int64(4))
            })
    }

    private func change(_ known: Known, to budget: Budget) throws {
        _ = try connection.run(
            "UPDATE budget SET active = 1, amount = ?2, alerts = ?3 WHERE id = ?1",
            [.integer(known.id), .integer(budget.limit.nanodollars), .text(budget.alertsText)])
        guard known.amount != budget.limit.nanodollars else { return }
        // Shares of another amount are told anew.
        _ = try connection.run(
            "UPDATE budget_window SET alerted = 0 WHERE budget_id = ?1", [.integer(known.id)])
    }

    /// What a person knows of these calls holds in every budget that covered them.
    ///
    /// False where there is no such budget.
    func clear(_ name: String) throws -> Bool {
        let now = operation.now.timestamp
        guard
            let (id, span) = try connection.queryOne(
                "SELECT id, span FROM budget WHERE name = ?1 AND active = 1", [.text(name)],
                { row in (row.int64(0), Budget.Window(rawValue: row.text(1)) ?? .total) })
        else { return false }
        let found = try connection.queryOne(
            "SELECT id, maybe_paid FROM budget_window WHERE budget_id = ?1 AND starts_at = ?2",
            [.integer(id), .integer(span.start(at: now).milliseconds)],
            { row in (row.int64(0), row.int64(1)) })
        guard let (window, amount) = found, amount > 0 else { return true }
        for attempt in try attempts(in: window) { try clear(attempt) }
        // Attempts that were pruned meanwhile have left theirs behind.
        _ = try connection.run("UPDATE budget_window SET maybe_paid = 0 WHERE id = ?1", [.integer(window)])
        let message = "$\(Money(nanodollars: amount)) maybe paid was cleared in budget \(name)"
        try Events.record(.maybePaidCleared, name, message, operation)
        return true
    }

    private struct Doubtful {
        let job: Int64
        let number: Int
        let maybePaid: Int64
        let windows: String
        let lane: Int64
        let batch: Int64?
    }

    private func attempts(in window: Int64) throws -> [Doubtful] {
        try connection.query(
            """
            SELECT attempt.job_id, attempt.number, attempt.maybe_paid, attempt.budget_windows, job.lane_id, job.batch_id
            FROM attempt
            JOIN job ON job.id = attempt.job_id
            WHERE attempt.maybe_paid > 0 AND attempt.budget_windows LIKE '%,' || ?1 || ',%'
            """, [.integer(window)]
        ) { row in
            Doubtful(
                job: row.int64(0), number: row.int(1), maybePaid: row.int64(2), windows: row.text(3),
                lane: row.int64(4), batch: row.int64OrNil(5))
        }
    }

    private func clear(_ attempt: Doubtful) throws {
        _ = try connection.run(
            "UPDATE attempt SET cleared = cleared + maybe_paid, maybe_paid = 0 WHERE job_id = ?1 AND number = ?2",
            [.integer(attempt.job), .integer(attempt.number)])
        let change = BudgetLedger.Change(maybePaid: Money(nanodollars: -attempt.maybePaid))
        try BudgetClosing(operation).apply(change, to: attempt.windows)
        try operation.spent(lane: attempt.lane, job: attempt.job) { $0.maybePaid -= attempt.maybePaid }
        operation.booked(batch: attempt.batch) { $0.maybePaid -= attempt.maybePaid }
    }
}

extension Budget {
    fileprivate var alertsText: String { alerts.map(String.init).joined(separator: ",") }
}

extension Budget.Scope {
    fileprivate var words: (scope: String, subject: String) {
        switch self {
        case .all: ("all", "")
        case .queue(let name): ("queue", name)
        case .tag(let tag): ("tag", tag)
        }
    }
}
