package import Jobs
import SQLite

extension SQLiteJobStore {
    package func configure(budgets: [Budget], now: Now) async throws {
        guard !budgets.isEmpty else { return }
        try await write(now: now) { context in
            let before = try LaneBudget.load(context.connection)
            for budget in budgets { try Budgets(context).state(budget) }
            try LaneMoves.begin(from: before, context)
        }
        try await moveLanes(now: now)
    }

    package func set(_ budget: Budget, now: Now) async throws -> BudgetStatus {
        let prices = settings.prices
        let status = try await write(now: now) { context in
            let budgets = Budgets(context)
            try budgets.refuseWhatAFileStates(budget.name)
            let before = try LaneBudget.load(context.connection)
            try budgets.state(budget)
            try LaneMoves.begin(from: before, context)
            let all = try BudgetStatus.all(context.connection, now: now.timestamp, prices: prices)
            guard let status = all.first(where: { $0.ledger.budget.name == budget.name }) else {
                throw JobStoreError(.internal, "budget \(budget.name) was stated and is not there")
            }
            return status
        }
        try await moveLanes(now: now)
        return status
    }

    package func remove(budget name: String, now: Now) async throws -> Bool {
        let removed = try await write(now: now) { context in
            let budgets = Budgets(context)
            try budgets.refuseWhatAFileStates(name)
            let before = try LaneBudget.load(context.connection)
            let removed = try budgets.remove(name)
            try LaneMoves.begin(from: before, context)
            return removed
        }
        try await moveLanes(now: now)
        return removed
    }

    package func budgets(now: Now) async throws -> [BudgetStatus] {
        let prices = settings.prices
        return try await read { connection in
            try BudgetStatus.all(connection, now: now.timestamp, prices: prices)
        }
    }

    package func clearUnconfirmed(budget name: String, now: Now) async throws -> BudgetStatus? {
        let prices = settings.prices
        return try await write(now: now) { context in
            guard try Budgets(context).clear(name) else { return nil }
            return try BudgetStatus.all(context.connection, now: now.timestamp, prices: prices)
                .first { $0.ledger.budget.name == name }
        }
    }
}

extension BudgetStatus {
    init(_ ledger: BudgetLedger, at now: Timestamp) {
        let window = ledger.budget.window
        self.init(ledger: ledger, startsAt: window.start(at: now), endsAt: window.end(at: now))
    }

    /// Those in force.
    fileprivate static func all(
        _ connection: Connection, now: Timestamp, prices: PriceTable
    ) throws -> [BudgetStatus] {
        let files = try connection.query(
            "SELECT name, stated_by FROM budget WHERE active = 1 AND stated_by IS NOT NULL", [],
            { row in (row.text(0), row.text(1)) })
        let fileOf = Dictionary(files) { first, _ in first }
        return try BudgetBook.load(connection, now: now, prices: prices).ledgers.map { ledger in
            var status = BudgetStatus(ledger, at: now)
            status.statedBy = fileOf[ledger.budget.name]
            return status
        }
    }
}

/// Stating budgets, and taking them away.
struct Budgets {
    let context: WriteContext
    var connection: Connection { context.connection }

    init(_ context: WriteContext) {
        self.context = context
    }

    private struct Known {
        let id: Int64
        let scope: String
        let subject: String
        let span: String
        let amount: Int64
        let isInForce: Bool
    }

    /// All that a process brings; what its file stated before and names no more is out of force.
    func state(_ stated: StatedConfiguration) throws {
        for name in stated.removed { _ = try remove(name) }
        let file = stated.file.source
        for budget in stated.budgets {
            try state(budget, by: stated.budgetsOfFile.contains(budget.name) ? file : nil)
        }
        guard !stated.file.content.isEmpty else { return try leaveToAnybody() }
        let left = try connection.query(
            "SELECT name FROM budget WHERE active = 1 AND stated_by IS NOT NULL", [],
            { row in row.text(0) })
        for name in left where !stated.budgetsOfFile.contains(name) { _ = try remove(name) }
    }

    /// No file is in force any more: its budgets go on, and may be changed.
    private func leaveToAnybody() throws {
        guard try ConfigurationHistory.isInForce("", connection) else { return }
        _ = try connection.run("UPDATE budget SET stated_by = NULL WHERE stated_by IS NOT NULL")
    }

    func refuseWhatAFileStates(_ name: String) throws {
        let file = try connection.queryOne(
            "SELECT stated_by FROM budget WHERE name = ?1 AND active = 1", [.text(name)],
            { row in row.textOrNil(0) })
        guard let file = file.flatMap({ $0 }) else { return }
        throw JobStoreError(
            .statedByConfiguration,
            "budget “\(name)” is stated in \(file): change it there, and restart with it")
    }

    /// False where there is none in force.
    func remove(_ name: String) throws -> Bool {
        try connection.run(
            "UPDATE budget SET active = 0, stated_by = NULL WHERE name = ?1 AND active = 1", [.text(name)])
            > 0
    }

    func state(_ budget: Budget, by file: String? = nil) throws {
        let (scope, subject) = budget.scope.words
        if let known = try find(budget.name) {
            let isSame = (known.scope, known.subject, known.span) == (scope, subject, budget.window.rawValue)
            if isSame, known.isInForce { return try change(known, to: budget, by: file) }
            // Other jobs, another time, or a while out of force: another budget. Attempts may still be open in the old one.
            _ = try connection.run(
                "UPDATE budget SET active = 0, name = name || '#' || id WHERE id = ?1", [.integer(known.id)])
        }
        _ = try connection.run(
            """
            INSERT INTO budget (name, scope, subject, span, amount, alerts, stated_by)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            """,
            [
                .text(budget.name), .text(scope), .text(subject), .text(budget.window.rawValue),
                .integer(budget.limit.nanodollars), .text(budget.alertsText), .text(file),
            ])
        try SpentBefore(context, budget, id: connection.lastInsertRowID).bring()
    }

    private func find(_ name: String) throws -> Known? {
        try connection.queryOne(
            "SELECT id, scope, subject, span, amount, active FROM budget WHERE name = ?1", [.text(name)],
            { row in
                Known(
                    id: row.int64(0), scope: row.text(1), subject: row.text(2), span: row.text(3),
                    amount: row.int64(4), isInForce: row.bool(5))
            })
    }

    private func change(_ known: Known, to budget: Budget, by file: String?) throws {
        _ = try connection.run(
            "UPDATE budget SET amount = ?2, alerts = ?3, stated_by = ?4 WHERE id = ?1",
            [
                .integer(known.id), .integer(budget.limit.nanodollars), .text(budget.alertsText),
                .text(file),
            ])
        guard known.amount != budget.limit.nanodollars else { return }
        // Shares of another amount are told anew.
        _ = try connection.run(
            "UPDATE budget_window SET alerted = 0 WHERE budget_id = ?1", [.integer(known.id)])
    }
}

extension Budget {
    fileprivate var alertsText: String { alerts.map(String.init).joined(separator: ",") }
}

extension Budget.Scope {
    var words: (scope: String, subject: String) {
        switch self {
        case .all: ("all", "")
        case .queue(let name): ("queue", name)
        case .tag(let tag): ("tag", tag)
        }
    }
}
