import Jobs
import StoreRules
import TestSupport

// What verbs share: rows written whole under a lock, or as news.
extension Engine {
    mutating func save(_ decided: Decided) {
        world.news += decided.news
        for change in decided.delta.changes {
            guard case .open(let attempt) = change else { continue }
            if attempt.providerBatch == nil {
                world.queues[Int(attempt.queue - 1)].running[Int(attempt.choice.route - 1)] += 1
                auditCap(of: attempt.queue)
            }
            if let worker = decided.worker { world.workers[worker].holds.append(attempt.key) }
        }
        world.saveRoutes(decided.rowCache)
        if let closed = decided.closed {
            world.saveQueue(decided.rowCache, of: closed)
            world.saveWindows(decided.rowCache, Set(closed.windows))
        } else {
            savePasses(decided.rowCache, of: decided.terms.route)
        }
    }

    private mutating func auditCap(of queue: Int64) {
        let row = world.queues[Int(queue - 1)]
        let open = world.open.count { key in
            world[attempt: key].queue == queue && world[attempt: key].providerBatch == nil
        }
        guard let cap = row.concurrency, open > cap else { return }
        world.fault("a queue has no more calls in flight than its cap", "\(row.name): \(open)")
    }

    private mutating func savePasses(_ rowCache: RowCache, of route: Int64?) {
        for id in rowCache.changed.queues {
            guard let queue = rowCache.queues[id] else { continue }
            world.queues[Int(id - 1)].pass[Int((route ?? 1) - 1)] = queue.pass
        }
    }

    // MARK: News

    /// Folds in what was appended for these routes, and for what else the claim has locked.
    mutating func fold(_ routes: [Int64], under held: Set<Lock>) throws {
        for place in world.news.indices {
            var news = world.news[place]
            let isOfRoute = news.routeIsUntold && routes.contains(news.attempt.route)
            let windows = news.untoldWindows.filter { window in
                if !locks.foldsAllThatItLocks { return isOfRoute }
                return !locks.budgets || held.contains(.budget(world.windows[Int(window - 1)].budget))
            }
            guard isOfRoute || !windows.isEmpty else { continue }
            try fold(news, route: isOfRoute, windows)
            news.untoldWindows.subtract(windows)
            if isOfRoute { news.routeIsUntold = false }
            world.news[place] = news
        }
        world.news.removeAll { !$0.routeIsUntold && $0.untoldWindows.isEmpty }
    }

    private mutating func fold(_ news: News, route: Bool, _ windows: Set<Int64>) throws {
        var rowCache = RowCache()
        world.load(news.attempt, into: &rowCache)
        var random = SeededRandom(seed: news.seed)
        var delta = Delta()
        switch news.kind {
        case .settled(let closing):
            var credentials = world.credentialsByID()
            closing.apply(to: &rowCache, &credentials, &delta, using: &random)
        case .reaped:
            delta.reap(news.snapshot, in: &rowCache, laneBudget: world.laneBudget(), now: news.now)
        case .recalled:
            delta.recall(news.snapshot, in: &rowCache, laneBudget: world.laneBudget(), now: news.now)
        }
        world.saveWindows(rowCache, windows)
        guard route else { return }
        world.saveRoutes(rowCache)
        world.saveQueue(rowCache, of: news.attempt)
        world.applyShared(delta, releases: locks.foldsReleases)
    }
}

extension MemoryWorld {
    fileprivate mutating func saveRoutes(_ rowCache: RowCache) {
        for id in rowCache.changed.routes {
            if let route = rowCache.routes[id] { routes[Int(id - 1)].state = route }
        }
    }

    fileprivate mutating func saveQueue(_ rowCache: RowCache, of attempt: AttemptRecord) {
        guard rowCache.changed.queues.contains(attempt.queue), let queue = rowCache.queues[attempt.queue]
        else {
            return
        }
        let place = Int(attempt.queue - 1)
        queues[place].running[Int(attempt.route - 1)] += queue.running - queues[place].running.reduce(0, +)
        for route in queue.streaks.changed { queues[place].streaks[route] = queue.streaks[route] }
    }

    fileprivate mutating func saveWindows(_ rowCache: RowCache, _ ids: Set<Int64>) {
        for id in rowCache.changed.windows where ids.contains(id) {
            guard let window = rowCache.windows[id] else { continue }
            let place = Int(id - 1)
            windows[place].settled = window.ledger.settled.nanodollars
            windows[place].reserved = window.ledger.reserved.nanodollars
            windows[place].unconfirmedCost = window.ledger.unconfirmedCost.nanodollars
            windows[place].alerted = window.ledger.alerted
            windows[place].exhaustionLogged = window.exhaustionLogged
        }
    }
}
