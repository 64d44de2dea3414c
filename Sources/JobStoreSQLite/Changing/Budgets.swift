package import Jobs
import SQLite
import StoreRules

extension SQLiteJobStore {
    package func set(_ budget: Budget) async throws -> BudgetStatus {
        let prices = settings.rules.prices
        let status = try await write { context in
            let budgets = Budgets(context)
            try budgets.refuseWhatAFileStates(budget.name)
            let before = try LaneBudget.load(context.connection)
            try budgets.state(budget)
            try LaneMoves.begin(from: before, context)
            let all = try BudgetStatus.all(context.connection, now: context.now.timestamp, prices: prices)
            guard let status = all.first(where: { $0.ledger.budget.name == budget.name }) else {
                throw JobStoreError(.internal, "budget \(budget.name) was stated and is not there")
            }
            return status
        }
        try await moveLanes()
        return status
    }

    package func remove(budget name: String) async throws -> Bool {
        let removed = try await write { context in
            let budgets = Budgets(context)
            try budgets.refuseWhatAFileStates(name)
            let before = try LaneBudget.load(context.connection)
            let removed = try budgets.remove(name)
            try LaneMoves.begin(from: before, context)
            return removed
        }
        try await moveLanes()
        return removed
    }

    package func budgets() async throws -> [BudgetStatus] {
        let now = now()
        let prices = settings.rules.prices
        return try await read { connection in
            try BudgetStatus.all(connection, now: now.timestamp, prices: prices)
        }
    }

    package func clearUnconfirmed(budget name: String) async throws -> BudgetStatus? {
        let prices = settings.rules.prices
        return try await write { context in
            guard try Budgets(context).clear(name) else { return nil }
            return try BudgetStatus.all(context.connection, now: context.now.timestamp, prices: prices)
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

    /// All that a process brings; what its file stated before and names no more is out of force.
    func state(_ stated: StatedConfiguration) throws {
        for name in stated.removed { _ = try remove(name) }
        let file = stated.file.source
        for budget in stated.budgets {
            try state(budget, by: stated.budgetsOfFile.contains(budget.name) ? file : nil)
        }
        guard !stated.file.content.isEmpty else { return try leaveFiles() }
        let left = try connection.query(
            "SELECT name FROM budget WHERE active = 1 AND stated_by IS NOT NULL", [],
            { row in row.text(0) })
        try context.apply { delta in delta.keepBudgets(stated.budgetsOfFile, of: left) }
    }

    private func leaveFiles() throws {
        guard try ConfigurationHistory.isInForce("", connection) else { return }
        try context.apply { delta in delta.add(.budget(.leaveFiles)) }
    }

    func refuseWhatAFileStates(_ name: String) throws {
        guard let known = try find(name), known.isInForce, let file = known.statedBy else { return }
        throw JobStoreError(
            .statedByConfiguration,
            "budget “\(name)” is stated in \(file): change it there, and restart with it")
    }

    /// False if there is none in force.
    func remove(_ name: String) throws -> Bool {
        let known = try find(name)
        var delta = Delta()
        let isRemoved = delta.remove(known)
        try context.apply(delta)
        return isRemoved
    }

    func state(_ budget: Budget, by file: String? = nil) throws {
        let (known, now) = (try find(budget.name), context.now.timestamp)
        try context.apply { delta in
            try delta.state(budget, by: file, known: known, at: now) {
                try CarriedSpending.load(for: budget, since: budget.window.start(at: now), connection)
            }
        }
    }

    func find(_ name: String) throws -> StoredBudget? {
        try connection.queryOne(
            """
            SELECT name, scope, subject, span, amount, alerts, NULL, NULL, NULL, NULL, id, active, stated_by
            FROM budget
            WHERE name = ?1
            """, [.text(name)]
        ) { row in
            StoredBudget(
                id: row.int64(10), budget: BudgetLedger(row).budget, isInForce: row.bool(11),
                statedBy: row.textOrNil(12))
        }
    }
}
