package import Jobs
import Postgres
import StoreRules

extension PostgresJobStore {
    package func set(_ budget: Budget) async throws -> BudgetStatus {
        let prices = settings.rules.prices
        let status = try await write { context in
            let budgets = Budgets(context)
            let known = try budgets.find(budget.name)
            try budgets.refuseWhatAFileStates(known)
            let before = try LaneBudget.load(context.access)
            try budgets.state(budget, known: known)
            try LaneMoves.begin(from: before, context)
            let all = try BudgetStatus.all(context.access, now: context.now.timestamp, prices: prices)
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
            let known = try budgets.find(name)
            try budgets.refuseWhatAFileStates(known)
            let before = try LaneBudget.load(context.access)
            let removed = try budgets.remove(known)
            try LaneMoves.begin(from: before, context)
            return removed
        }
        try await moveLanes()
        return removed
    }

    package func budgets() async throws -> [BudgetStatus] {
        let now = now()
        let prices = settings.rules.prices
        return try await readShared { access in
            try BudgetStatus.all(access, now: now.timestamp, prices: prices)
        }
    }

    package func clearUnconfirmed(budget name: String) async throws -> BudgetStatus? {
        let prices = settings.rules.prices
        return try await write { context in
            guard try Budgets(context).clear(name) else { return nil }
            return try BudgetStatus.all(context.access, now: context.now.timestamp, prices: prices)
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
    fileprivate static func all(_ access: Access, now: Timestamp, prices: PriceTable) throws -> [BudgetStatus]
    {
        let files = try access.query(.filesOfBudgets).map { row in (try row.text(0), try row.text(1)) }
        let fileOf = Dictionary(files) { first, _ in first }
        return try BudgetBook.load(access, now: now, prices: prices).ledgers.map { ledger in
            var status = BudgetStatus(ledger, at: now)
            status.statedBy = fileOf[ledger.budget.name]
            return status
        }
    }
}

/// Stating budgets, and taking them away.
struct Budgets {
    let context: WriteContext
    var access: Access { context.access }

    init(_ context: WriteContext) {
        self.context = context
    }

    /// All that a process brings; what its file stated before and names no more is out of force.
    func state(_ stated: StatedConfiguration) throws {
        let removed = try find(stated.removed)
        for name in stated.removed { _ = try remove(removed[name]) }
        let known = try find(stated.budgets.map(\.name))
        let file = stated.file.source
        for budget in stated.budgets {
            let isOfFile = stated.budgetsOfFile.contains(budget.name)
            try state(budget, by: isOfFile ? file : nil, known: known[budget.name])
        }
        guard !stated.file.content.isEmpty else { return try leaveFiles() }
        let left = try access.query(.filesOfBudgets).map { row in try row.text(0) }
        try context.apply { delta in delta.keepBudgets(stated.budgetsOfFile, of: left) }
    }

    private func leaveFiles() throws {
        guard try ConfigurationHistory.isInForce("", access) else { return }
        try context.apply { delta in delta.add(.budget(.leaveFiles)) }
    }

    func refuseWhatAFileStates(_ known: StoredBudget?) throws {
        guard let known, known.isInForce, let file = known.statedBy else { return }
        throw JobStoreError(
            .statedByConfiguration,
            "budget “\(known.budget.name)” is stated in \(file): change it there, and restart with it")
    }

    /// False if it is not in force.
    func remove(_ known: StoredBudget?) throws -> Bool {
        var delta = Delta()
        let isRemoved = delta.remove(known)
        try context.apply(delta)
        return isRemoved
    }

    func state(_ budget: Budget, by file: String? = nil, known: StoredBudget?) throws {
        let now = context.now.timestamp
        try context.apply { delta in
            try delta.state(budget, by: file, known: known, at: now) {
                try CarriedSpending.load(for: budget, since: budget.window.start(at: now), access)
            }
        }
    }

    func find(_ name: String) throws -> StoredBudget? { try find([name])[name] }

    private func find(_ names: [String]) throws -> [String: StoredBudget] {
        guard !names.isEmpty else { return [:] }
        return try access.query(.budgetsByName, [.textArray(names)]).reduce(into: [:]) { found, row in
            let budget = StoredBudget(
                id: try row.int64(10), budget: try BudgetLedger(row).budget, isInForce: try row.bool(11),
                statedBy: try row.textOrNil(12))
            found[budget.budget.name] = budget
        }
    }
}

extension Statement {
    fileprivate static let filesOfBudgets = Statement(
        "files-of-budgets", "SELECT name, stated_by FROM budget WHERE active AND stated_by IS NOT NULL")
    fileprivate static let budgetsByName = Statement(
        "budgets-by-name",
        """
        SELECT name, scope, subject, span, amount, alerts, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, id, active,
            stated_by
        FROM budget
        WHERE name = ANY ($1::text[])
        """, .texts)
}
