import Jobs
import StoreRules

// What decisions begin with: rows as the rules' values, and back.
extension MemoryWorld {
    /// `countsNews` if calls that ended are free at once, though no claim of their route has folded them in yet.
    func queueState(_ id: Int64, passOf route: Int64?, countsNews: Bool = false) -> QueueState {
        let row = queues[Int(id - 1)]
        let ended = countsNews ? news.count { $0.freesQueue(id) } : 0
        var state = QueueState(
            id: id, name: row.name, paused: row.paused, concurrency: row.concurrency, weight: row.weight,
            running: row.running.reduce(0, +) - ended, pass: row.pass[Int((route ?? 1) - 1)])
        for (route, streak) in row.streaks {
            state.streaks.load(streak, on: route, inFlight: inFlight(queue: id, home: route))
        }
        return state
    }

    /// Jobs that are subject to a queue's streak on a route and run.
    private func inFlight(queue: Int64, home: Int64) -> Int {
        unfinished.count { place in
            let lane = lane(jobs[place].lane)
            return jobs[place].state == .running && lane.queue == queue && lane.route == home
                && lane.kind == .common
        }
    }

    func claimSnapshot(worker: Int64, of route: Int64?) -> ClaimSnapshot {
        let worker = workers.first { $0.id == worker }
        let key = worker.map { credentials[$0.credential] }.flatMap { $0.gate.state == .open ? nil : $0 }
        return ClaimSnapshot(
            scheduler: FairScheduler(virtualTime: virtualTime[Int((route ?? 1) - 1)]), book: book(),
            refusedKeys: key.map { [$0.service: $0] } ?? [:], lanesChange: false)
    }

    func book() -> BudgetBook {
        let entries = budgets.indices.map { index in
            let (id, budget) = (Int64(index + 1), budgets[index].budget)
            let start = Self.start(of: budget.window, at: now.timestamp)
            let window = windows.lastIndex { $0.budget == id && $0.startsAt == start }
            return BudgetBook.Entry(
                budget: id, window: window.map { Int64($0 + 1) },
                ledger: window.map { windows[$0].ledger(of: budget) } ?? BudgetLedger(budget: budget),
                earlierExhaustionLogged: window == nil
                    && windows.contains { $0.budget == id && $0.exhaustionLogged })
        }
        return BudgetBook(entries, now: now.timestamp, prices: settings.prices)
    }

    /// As `Budget.Window.start`, without a calendar's texts.
    private static func start(of window: Budget.Window, at time: Timestamp) -> Timestamp {
        switch window {
        case .day: Timestamp(milliseconds: time.milliseconds / Timestamp.day * Timestamp.day)
        case .month: window.start(at: time)
        case .total: Timestamp(milliseconds: 0)
        }
    }

    // MARK: Settling

    func attemptRecord(_ key: AttemptKey) -> AttemptRecord {
        let row = self[attempt: key]
        return AttemptRecord(
            key: key, route: row.route, queue: row.queue, status: row.status, openedAt: row.openedAt,
            openedOn: row.openedOn, promptHash: row.promptHash, need: row.need,
            reservedCost: row.reservedCost, unconfirmedCost: row.unconfirmedCost, marks: row.marks,
            windows: row.windows, home: row.home, position: row.position, providerBatch: row.providerBatch)
    }

    func jobRecord(_ id: Int64) -> JobRecord {
        let row = self[job: id]
        return JobRecord(
            id: id, lane: row.lane, place: lane(row.lane), state: row.state, attempt: row.attempts.count,
            attemptsCounted: row.attemptsCounted, maxAttempts: row.maxAttempts, crashCount: row.crashCount,
            batch: nil, promptHash: row.request.promptHash, requestBytes: row.request.bytes,
            maxTokens: row.maxTokens, failures: row.failures,
            finishOrder: row.state.isTerminal ? 1 : nil, runAt: row.runAt, answer: row.answer,
            prefix: row.request.prefix, blame: row.blame, forgiven: row.forgiven, position: row.position,
            tags: row.tags, hasCheck: row.check != nil)
    }

    func load(_ attempt: AttemptRecord, into rowCache: inout RowCache) {
        if rowCache.routes[attempt.route] == nil { rowCache.load(route(attempt.route).state) }
        if rowCache.queues[attempt.queue] == nil {
            rowCache.load(queueState(attempt.queue, passOf: attempt.route))
        }
        for id in attempt.windows where rowCache.windows[id] == nil {
            let row = windows[Int(id - 1)]
            rowCache.load(
                BudgetWindow(
                    id: id, ledger: row.ledger(of: budgets[Int(row.budget - 1)].budget), isInForce: true,
                    exhaustionLogged: row.exhaustionLogged))
        }
    }

    func settleSnapshot(_ key: AttemptKey, for settlement: Settlement? = nil) -> SettleSnapshot {
        let (attempt, job) = (attemptRecord(key), jobRecord(key.job.value))
        var snapshot = SettleSnapshot(attempt: attempt, job: job)
        if let prefix = job.prefix, attempt.status == .open {
            snapshot.wroteItsPrefix =
                prefixes[.init(hash: prefix.hash, route: attempt.route)]?.writer == key
        }
        guard let settlement else { return snapshot }
        let needs = SettleNeeds(
            settlement, attempt, job, settings,
            someKeyIsRefused: credentials.contains { $0.gate.state != .open })
        if needs.home { snapshot.home = route(attempt.home).state.key }
        if needs.credential, let worker = workers.first(where: { $0.id == self[attempt: key].worker }) {
            let state = credentials[worker.credential]
            if state.service == route(attempt.route).state.key.service {
                snapshot.credential = (state, ["worker \(worker.id)"])
            }
        }
        if let failure = needs.check { snapshot.check = check(of: job, failure) }
        return snapshot
    }

    private func check(of job: JobRecord, _ failure: CheckFailure) -> CheckSnapshot? {
        guard let check = self[job: job.id].check else { return nil }
        let sent = self[job: job.id].sent
        guard
            let found = try? CheckSnapshot.escalation(failure, rules: check.rules, routes: check.routes)
        else { return CheckSnapshot(sent: sent, escalation: nil) }
        let key = route(found).state.key
        var place = job.place
        place.budget = laneBudget().name(of: job.tags)
        place.move(
            to: found, ofTheSameService: route(job.place.route).state.key.service == key.service)
        return CheckSnapshot(sent: sent, escalation: .init(model: key.model, place: place))
    }
}

extension News {
    func freesQueue(_ id: Int64) -> Bool {
        routeIsUntold && attempt.queue == id && attempt.status == .open && attempt.providerBatch == nil
    }
}

extension WindowRow {
    func ledger(of budget: Budget) -> BudgetLedger {
        BudgetLedger(
            budget: budget, settled: Money(nanodollars: settled), reserved: Money(nanodollars: reserved),
            unconfirmedCost: Money(nanodollars: unconfirmedCost), alerted: alerted)
    }
}
