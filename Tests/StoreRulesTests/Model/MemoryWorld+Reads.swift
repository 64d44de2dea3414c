import Jobs
import StoreRules

/// What a claim reads of a world.
struct WorldReads: ClaimReads {
    let world: MemoryWorld
    /// Another moment's answers, if they were looked up before all else.
    let answers: MemoryWorld
    private let ready: [Int64: [JobRow]]
    private let order: [Int64]
    /// The route whose pass is its queues' own; nil if a queue has one pass for all.
    let passOf: Int64?
    let countsNews: Bool

    /// `routes` if only their lanes are looked at; `locked` are jobs that others hold.
    init(
        _ world: MemoryWorld, answers: MemoryWorld? = nil, of route: Int64? = nil, locked: Set<Int64> = [],
        countsNews: Bool = false
    ) {
        self.world = world
        self.answers = answers ?? world
        passOf = route
        self.countsNews = countsNews
        var ready: [Int64: [JobRow]] = [:]
        for place in world.unfinished where world.jobs[place].isReady {
            let job = world.jobs[place]
            guard route == nil || world.lane(job.lane).route == route, !locked.contains(job.id) else {
                continue
            }
            ready[job.lane, default: []].append(job)
        }
        self.ready = ready.mapValues { $0.sorted { ($0.rank, $0.id) < ($1.rank, $1.id) } }
        order = ready.keys.sorted()
    }

    private func jobs(_ lane: Int64, alone: Bool = false) -> [JobRow] {
        (ready[lane] ?? []).filter { ($0.crashCount >= Poison.aloneAfter) == alone }
    }

    // MARK: Lanes and jobs

    func readyLanes() -> [ReadyLane] {
        order.compactMap { id in
            let place = world.lane(id)
            guard place.kind != .halfPrice, !world.queues[Int(place.queue - 1)].paused else { return nil }
            return ReadyLane(
                id: id, queue: place.queue, route: place.route, tags: LaneBudget.tags(of: place.budget),
                owner: place.owner)
        }
    }

    func heads(of lane: Int64, behind other: Candidate?, limit: Int) -> [Candidate] {
        jobs(lane).lazy
            .filter { job in other.map { (job.rank, job.id) > ($0.rank, $0.id) } ?? true }
            .prefix(limit).map(\.candidate)
    }

    func newest(of lane: Int64, limit: Int) -> [Candidate] {
        jobs(lane).reversed().prefix(limit).map(\.candidate)
    }

    func leastFailed(of lane: Int64, limit: Int) -> [Candidate] {
        jobs(lane).sorted { ($0.failures, $0.rank, $0.id) < ($1.failures, $1.rank, $1.id) }
            .prefix(limit).map(\.candidate)
    }

    func lanesOfLoners() -> [Int64] { order.filter { !jobs($0, alone: true).isEmpty } }

    func loners(of lane: Int64, limit: Int) -> [Candidate] {
        jobs(lane, alone: true).prefix(limit).map(\.candidate)
    }

    // MARK: What is shared

    func queue(_ id: Int64) -> QueueState? { world.queueState(id, passOf: passOf, countsNews: countsNews) }
    func route(_ id: Int64) -> RouteState? { world.route(id).state }
    func route(_ key: RouteKey) -> RouteState? { world.routes.first { $0.state.key == key }?.state }
    func laneBudget() -> LaneBudget { world.laneBudget() }

    func anotherDrains(than worker: WorkerID) -> Bool {
        world.workers.contains { other in
            other.id != worker.value && other.drainUntil.map { !$0.hasPassed(at: world.now.moment) } ?? false
        }
    }

    // MARK: Prompts

    func cachedAnswer(_ hash: [UInt8], route: Int64) -> CachedAnswer? {
        answers.cachedAnswer(hash, route: route)
    }

    func isInFlight(_ hash: [UInt8], route: Int64, withBatches: Bool) -> Bool {
        world.isInFlight(hash, route: route, withBatches: withBatches)
    }

    func prefix(_ prefix: CachePrefix, route: Int64) -> WrittenPrefix? {
        world.prefixes[.init(hash: prefix.hash, route: route)].map { row in
            WrittenPrefix(
                warmUntil: row.until, isOpen: row.writer.map { world[attempt: $0].status == .open } == true)
        }
    }

    // MARK: One job

    func spent(on job: Int64) -> Money {
        Money(
            nanodollars: world[job: job].attempts.reduce(0) { $0 + $1.cost + $1.unconfirmedCost })
    }

    func tags(of job: Int64) -> [String] { world[job: job].tags }
    func sentRequest(of job: Int64) -> SentRequest? { world[job: job].sent }
    func body(of answer: Int64) -> [UInt8]? { answers.answers[Int(answer - 1)].body }

    func standing(of job: Int64) -> LaneStanding? {
        let row = world[job: job]
        return LaneStanding(lane: row.lane, state: row.state, place: world.lane(row.lane))
    }
}

extension MemoryWorld {
    func cachedAnswer(_ hash: [UInt8], route: Int64) -> CachedAnswer? {
        let found = answers.lastIndex { answer in
            answer.hash == hash && answer.route == route && answer.expiresAt > now.timestamp
        }
        return found.map {
            CachedAnswer(id: Int64($0 + 1), cost: answers[$0].cost, createdAt: answers[$0].createdAt)
        }
    }

    func isInFlight(_ hash: [UInt8], route: Int64, withBatches: Bool) -> Bool {
        open.contains { key in
            let attempt = self[attempt: key]
            return attempt.promptHash == hash && attempt.home == route
                && (withBatches || attempt.providerBatch == nil)
        }
    }
}

extension JobRow {
    var candidate: Candidate {
        Candidate(
            id: id, rank: rank, attempt: attempts.count, failures: failures, crashCount: crashCount,
            cache: cache, promptHash: request.promptHash, deadline: deadline, batch: nil,
            position: position, cause: cause, skipsCoalescing: skipsCoalescing, maxCost: maxCost,
            prefix: request.prefix,
            call: CallFacts(requestBytes: request.bytes, maxTokens: maxTokens, bound: request.bound))
    }

    var sent: SentRequest {
        SentRequest(
            job: id, own: request.own, next: request.next, betas: [],
            check: check.map { OpenCheck(rules: $0.rules, used: $0.used) }, isKeyed: false, sample: 0)
    }
}
