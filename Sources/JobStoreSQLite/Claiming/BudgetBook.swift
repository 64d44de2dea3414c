import Jobs
import SQLite

/// The budgets in force with their present windows, as one claim or one look sees them.
///
/// The pure `BudgetLedger` decides; here it is loaded, asked for each call, and written back in the claim's transaction.
struct BudgetBook {
    private struct Row {
        let budget: Int64
        /// Nil before the first money of its window.
        var window: Int64?
        var ledger: BudgetLedger
        var isChanged = false
    }

    /// A call whose money is asked for.
    struct Call {
        let bound: CostBound
        let maxTokens: Int
        let route: RouteKey
        let queue: String
        /// Those of the job's tags that have a budget.
        let tags: [String]
        /// Whether it goes with one of the provider's own batches.
        var isHalfPrice = false
    }

    private var rows: [Row]
    /// Budgets that have money again, in a new window.
    private(set) var notices: [StateNotice] = []
    private let now: Timestamp
    private let prices: PriceTable

    static func load(_ connection: Connection, now: Timestamp, prices: PriceTable) throws -> BudgetBook {
        let rows = try connection.query(
            """
            SELECT budget.name, budget.scope, budget.subject, budget.span, budget.amount, budget.alerts,
                budget_window.settled, budget_window.reserved, budget_window.unconfirmed_cost, budget_window.alerted,
                budget.id, budget_window.id
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
        ) { row in Row(budget: row.int64(10), window: row.int64OrNil(11), ledger: BudgetLedger(row)) }
        return BudgetBook(rows: rows, now: now, prices: prices)
    }

    private init(rows: [Row], now: Timestamp, prices: PriceTable) {
        self.rows = rows
        self.now = now
        self.prices = prices
    }

    var ledgers: [BudgetLedger] { rows.map(\.ledger) }

    private func covering(_ call: Call) -> [Int] {
        rows.indices.filter { rows[$0].ledger.budget.covers(queue: call.queue, tags: call.tags) }
    }

    private func worstCase(of call: Call, maxTokens: Int? = nil) -> Money? {
        prices.price(of: call.route, at: now)?
            .worstCase(
                call.bound, maxTokens: Int64(maxTokens ?? call.maxTokens), isBatch: call.isHalfPrice)
    }
}

// MARK: - Asking

extension BudgetBook {
    /// What keeps the call back; nil where all budgets that cover it can pay for it now.
    func closure(to call: Call) -> RouteLedger.Admission? {
        guard let waiting = waiting(of: call) else { return nil }
        return .refused(.budget, waiting.detail, after: waiting.until.map { $0 - now })
    }

    /// Why the job can never be paid for, on its route nor down the chain of those that take calls for want of money;
    /// nil where it can.
    func refusal(
        of job: Candidate, from home: RouteKey, _ chains: FallbackChains, queue: String, tags: [String],
        _ connection: Connection
    ) throws -> JobError? {
        guard !rows.isEmpty || job.maxCost != nil else { return nil }
        var position = job.position
        var error: JobError?
        while true {
            let route = chains.route(at: position, of: home)
            let call = Call(job, route: route, queue: queue, tags: tags)
            guard let refusal = try refusal(of: call, job: job, connection) else { return nil }
            error = error ?? refusal
            guard let next = chains.next(after: position, of: home, for: .budget) else { return error }
            position = next
        }
    }

    /// The same of one call.
    func refusal(of call: Call, job: Candidate, _ connection: Connection) throws -> JobError? {
        guard let worst = worstCase(of: call) else { return nil }
        if let limit = job.maxCost, let most = worstCase(of: call, maxTokens: job.maxTokens) {
            let spent = try spent(on: job.id, connection)
            if spent + most > limit { return .maxCostReached(most, spent: spent, limit: limit) }
        }
        let never = covering(call).first { rows[$0].ledger.admission(of: worst) == .never }
        return never.map { .neverAffordable(worst, rows[$0].ledger.budget) }
    }

    private static let spentOnJob = SQL(
        "SELECT coalesce(\(moneySum("cost")) + \(moneySum("unconfirmed_cost")), 0) FROM attempt WHERE job_id = ?1"
    )

    private func spent(on job: Int64, _ connection: Connection) throws -> Money {
        let sum = try connection.queryOne(
            Self.spentOnJob, [.integer(job)], { row in row.int64(0) })
        return Money(nanodollars: sum ?? 0)
    }

    /// What the call waits for: of the budgets that refuse it, the one that does so longest.
    func waiting(of call: Call) -> WaitingFor? {
        let covering = covering(call)
        guard !covering.isEmpty else { return nil }
        guard let worst = worstCase(of: call), let smallest = worstCase(of: call, maxTokens: 1) else {
            let detail =
                prices.price(of: call.route, at: now) == nil
                ? "no price is known for \(call.route.model), so that no budget can pay for it: state its price in the configuration"
                : "nothing limits how often the model searches the web, so that no budget can pay for it: set max_uses of web_search"
            return WaitingFor(reason: .budget, detail: detail)
        }
        let refusing = covering.map { rows[$0].ledger }.filter { $0.admission(of: worst) != .affordable }
        func end(_ ledger: BudgetLedger) -> Int64 {
            ledger.budget.window.end(at: now)?.milliseconds ?? .max
        }
        guard let longest = refusing.max(by: { end($0) < end($1) }) else { return nil }
        return WaitingFor(
            reason: .budget, detail: longest.words(worstCase: worst, smallest: smallest),
            until: longest.budget.window.end(at: now))
    }
}

// MARK: - Taking

extension BudgetBook {
    /// Reserves the call's worst case in every budget that covers it; returns it with the windows that hold it.
    mutating func reserve(for call: Call, _ connection: Connection) throws -> (Money, String?) {
        let worst = worstCase(of: call) ?? .zero
        let covering = covering(call)
        guard !covering.isEmpty else { return (worst, nil) }
        var windows = ","
        for index in covering {
            rows[index].ledger.reserve(worst)
            rows[index].isChanged = true
            windows += "\(try window(index, connection)),"
        }
        return (worst, windows)
    }

    private mutating func window(_ index: Int, _ connection: Connection) throws -> Int64 {
        if let known = rows[index].window { return known }
        _ = try connection.run(
            "INSERT INTO budget_window (budget_id, starts_at) VALUES (?1, ?2)",
            [
                .integer(rows[index].budget),
                .integer(rows[index].ledger.budget.window.start(at: now).milliseconds),
            ])
        let window = connection.lastInsertRowID
        rows[index].window = window
        try noteNewWindow(index, window, connection)
        return window
    }

    private mutating func noteNewWindow(_ index: Int, _ window: Int64, _ connection: Connection) throws {
        let told = try connection.run(
            "UPDATE budget_window SET exhaustion_logged = 0 WHERE budget_id = ?1 AND id <> ?2 AND exhaustion_logged = 1",
            [.integer(rows[index].budget), .integer(window)])
        if told > 0 { notices.append(rows[index].ledger.roomNotice) }
    }

    func save(_ connection: Connection) throws {
        for row in rows where row.isChanged {
            _ = try connection.run(
                "UPDATE budget_window SET reserved = ?2 WHERE id = ?1",
                [.integer(row.window), .integer(row.ledger.reserved.nanodollars)])
        }
    }
}

extension BudgetBook.Call {
    init(_ job: Candidate, route: RouteKey, queue: String, tags: [String]) {
        self.init(bound: job.bound, maxTokens: job.moneyTokens, route: route, queue: queue, tags: tags)
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
