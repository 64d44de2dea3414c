import Jobs
import StoreRules
import TestSupport

// Each verb's load and decision, as the store puts them together.
extension Engine {
    // MARK: Claiming

    mutating func claim(
        worker: Int, slots: Int, route: Int64?, answers: MemoryWorld?
    ) throws -> Decided? {
        try prepare(route)
        let row = world.workers[worker]
        let request = ClaimRequest(
            worker: WorkerID(row.id), partition: row.partition, slots: slots, running: row.holds.count,
            lease: World.lease, services: World.services)
        let planner = ClaimPlanner(
            world.claimSnapshot(worker: row.id, of: route), reads(of: route, answers), request: request,
            settings: world.settings, now: world.now, random: random)
        let (decision, random) = try planner.plan()
        self.random = random
        let terms = Applying(now: world.now, route: route, looked: world.commits)
        return Decided(delta: decision.delta, rowCache: decision.rowCache, terms: terms, worker: worker)
    }

    mutating func gather(route: Int64) throws -> Decided? {
        guard world.route(route).state.takesProviderBatches(world.terms, now: world.now) else { return nil }
        try prepare(locks.store ? nil : route)
        let planner = ProviderBatchPlanner(
            world.claimSnapshot(worker: 1, of: nil), reads(of: locks.store ? nil : route, nil),
            terms: world.terms, settings: world.settings, now: world.now, random: random)
        let due = DueRoute(
            route: world.route(route).state, lanes: world.halfPriceLanes(of: route),
            begun: world.filling(on: route))
        let plan = try planner.plan([due])
        random = plan.random
        return Decided(delta: plan.delta, terms: Applying(now: world.now, looked: world.commits))
    }

    /// News, and what is due.
    private mutating func prepare(_ route: Int64?) throws {
        if let route { try fold(chain(of: route), under: sharedLocks(of: route)) }
        world.moveDue()
    }

    private func reads(of route: Int64?, _ answers: MemoryWorld?) -> WorldReads {
        WorldReads(
            world, answers: answers, of: route, locked: locks.store ? [] : lockedJobs(),
            countsNews: locks.foldsAllThatItLocks)
    }

    // MARK: Closing

    mutating func settle(_ settlement: Settlement) throws -> Decided? {
        let snapshot = world.settleSnapshot(settlement.key, for: settlement)
        var (rowCache, tallies) = (RowCache(), Tallies())
        world.load(snapshot.attempt, into: &rowCache)
        let seed = random.next()
        var lots = SeededRandom(seed: seed)
        let rules = SettleRules(settlement, snapshot, settings: world.settings, now: world.now)
        let (outcome, decided, said) = try rules.decide(on: rowCache.routes[snapshot.attempt.route], &tallies)
        guard outcome != .repeated, var closing = said else { return nil }
        var delta = decided
        delta.tallies = tallies
        if isNews {
            if locks.foldsReleases { closing.takeReleases(from: &delta) }
        } else {
            var credentials = world.credentialsByID()
            closing.apply(to: &rowCache, &credentials, &delta, using: &lots)
        }
        var money = BudgetLedger.Change()
        for case .settle(let settled) in delta.changes {
            money = world.closing(
                settlement.key, cost: settled.cost, unconfirmedCost: settled.unconfirmedCost)
        }
        return close(snapshot, .settled(closing), delta, rowCache, money, seed)
    }

    mutating func reap(_ key: AttemptKey) -> Decided? {
        let attempt = world[attempt: key]
        guard attempt.status == .open, attempt.providerBatch == nil,
            attempt.leaseUntil.hasPassed(at: world.now.moment)
        else { return nil }
        return writeOff(key, .reaped) { delta, snapshot, rowCache in
            delta.reap(snapshot, in: &rowCache, laneBudget: world.laneBudget(), now: world.now)
        }
    }

    mutating func recall(_ key: AttemptKey) -> Decided? {
        guard world[attempt: key].status == .open, world[attempt: key].providerBatch != nil else {
            return nil
        }
        return writeOff(key, .recalled) { delta, snapshot, rowCache in
            delta.recall(snapshot, in: &rowCache, laneBudget: world.laneBudget(), now: world.now)
        }
    }

    private func writeOff(
        _ key: AttemptKey, _ kind: News.Kind, _ decide: (inout Delta, SettleSnapshot, inout RowCache) -> Void
    ) -> Decided {
        let snapshot = world.settleSnapshot(key)
        var (delta, rowCache) = (Delta(), RowCache())
        world.load(snapshot.attempt, into: &rowCache)
        decide(&delta, snapshot, &rowCache)
        let money = world.closing(key, cost: 0, unconfirmedCost: snapshot.attempt.reservedCost)
        return close(snapshot, kind, delta, rowCache, money, 0)
    }

    private var isNews: Bool { locks.settlesByNews && !locks.store }

    /// Shared rows whole, or as news.
    private func close(
        _ snapshot: SettleSnapshot, _ kind: News.Kind, _ delta: Delta, _ rowCache: RowCache,
        _ money: BudgetLedger.Change, _ seed: UInt64
    ) -> Decided {
        var terms = Applying(now: world.now, looked: world.commits)
        terms.leavesShared = isNews
        guard isNews else {
            return Decided(delta: delta, rowCache: rowCache, terms: terms, closed: snapshot.attempt)
        }
        let news = News(
            kind: kind, snapshot: snapshot, now: world.now, seed: seed, money: money,
            untoldWindows: Set(snapshot.attempt.windows))
        return Decided(delta: delta, news: [news], terms: terms)
    }

    func end(_ id: Int64, _ state: JobState, _ error: JobError?) -> Decided? {
        let job = world.jobRecord(id)
        guard !job.state.isTerminal else { return nil }
        if error != nil, job.state != .queued { return nil }
        var delta = Delta()
        delta.end(job.identity, from: job.state, state, error)
        return Decided(delta: delta, terms: Applying(now: world.now, looked: world.commits))
    }
}

extension MemoryWorld {
    func credentialsByID() -> [Int64: SharedClosing.Credential] {
        Dictionary(uniqueKeysWithValues: credentials.map { ($0.id, ($0, [])) })
    }

    /// What an attempt's closing changes of each of its windows.
    fileprivate func closing(_ key: AttemptKey, cost: Int64, unconfirmedCost: Int64) -> BudgetLedger.Change {
        let row = self[attempt: key]
        return BudgetLedger.Change(
            reserved: Money(nanodollars: row.status == .open ? -row.reservedCost : 0),
            settled: Money(nanodollars: cost),
            unconfirmedCost: Money(nanodollars: unconfirmedCost - row.unconfirmedCost))
    }

    fileprivate func halfPriceLanes(of route: Int64) -> [HalfPriceLane] {
        let reads = WorldReads(self)
        return lanes.indices.compactMap { index in
            let (id, place) = (Int64(index + 1), lanes[index])
            guard place.kind == .halfPrice, place.route == route, !queues[Int(place.queue - 1)].paused,
                let first = reads.heads(of: id, behind: nil, limit: 1).first
            else { return nil }
            return HalfPriceLane(
                id: id, queue: place.queue, queueName: queues[Int(place.queue - 1)].name, route: route,
                tags: LaneBudget.tags(of: place.budget), since: first.rank)
        }
    }

    fileprivate func filling(on route: Int64) -> [FillingBatch] {
        batches.indices.compactMap { index in
            let batch = batches[index]
            guard batch.state == .filling, batch.place.route == route else { return nil }
            return FillingBatch(
                place: batch.place, reference: .stored(Int64(index + 1)), requests: batch.requests,
                bytes: batch.bytes, soonest: batch.soonest)
        }
    }
}
