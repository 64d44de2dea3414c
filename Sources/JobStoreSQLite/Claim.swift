package import Jobs
import SQLite

extension SQLiteJobStore {
    /// Looks first, over a reading connection: where nothing can be claimed, no lock is taken.
    package func claim(_ request: ClaimRequest, now: Now) async throws -> Claim {
        guard request.slots > 0 else { return Claim() }
        let survey = try await read { connection in
            try Survey(connection, services: request.services, now: now).glance()
        }
        guard survey.hasWork else { return Claim(wakeAfter: survey.wakeAfter) }
        return try await write(now: now) { operation in
            var draw = try Draw(operation, request: request)
            return try draw.run()
        }
    }
}

/// One claim inside its transaction: moves what is due, draws from open lanes, and opens attempts.
private struct Draw {
    /// Jobs that become ready in one claim because their time has come.
    static let dueLimit = 500
    /// Jobs settled from the cache in one claim, on top of the slots filled.
    static let hitLimit = 500
    /// How long a job held under a prompt hash waits before it looks for itself.
    static let holdLimit: Milliseconds = 600_000

    let operation: Operation
    let request: ClaimRequest
    var now: Now { operation.now }
    var connection: Connection { operation.connection }
    private var claim = Claim()
    private var lanes: [OpenLane] = []
    private var routes: [Int64: RouteRow] = [:]
    private var queues: [Int64: QueueRow] = [:]
    private var hits = 0

    /// A lane that still gives jobs, with those that were fetched from it.
    private struct OpenLane {
        let id: Int64
        let queue: Int64
        let route: Int64
        var credit: Double
        var candidates: ArraySlice<Candidate> = []
        var isExhausted = false
        /// Ids passed over in this claim, which therefore head the lane still.
        var passedOver = 0
    }

    init(_ operation: Operation, request: ClaimRequest) throws {
        self.operation = operation
        self.request = request
    }

    mutating func run() throws -> Claim {
        try Holds.moveDue(operation, limit: Self.dueLimit)
        try Holds.continueReleases(operation)
        try loadLanes()
        while claim.attempts.count < request.slots, hits < Self.hitLimit, let lane = nextLane() {
            try draw(from: lane)
            if claim.attempts.last?.alone == true { break }
        }
        claim.more = hits >= Self.hitLimit
        claim.settledFromCache = hits
        for route in routes.values { try route.save(connection) }
        for queue in queues.values { try queue.save(connection) }
        if let due = try Survey.soonestHeld(connection) {
            wake(after: max(0, due - now.timestamp.milliseconds))
        }
        return claim
    }

    // MARK: Lanes

    private mutating func loadLanes() throws {
        for lane in try Survey.readyLanes(connection) {
            let route = try routes[lane.route] ?? RouteRow.load(lane.route, connection)
            guard var route, request.services.contains(route.key.service) else { continue }
            route.ledger.advance(to: now.moment)
            routes[lane.route] = route
            let queue = try queues[lane.queue] ?? QueueRow.load(lane.queue, connection)
            guard let queue else { continue }
            queues[lane.queue] = queue
            guard !queue.paused else { continue }
            // A random start gives every queue its share in expectation, also when slots come free one by one.
            let credit = Double.random(in: 0..<Double(queue.weight), using: &operation.random)
            lanes.append(OpenLane(id: lane.id, queue: lane.queue, route: lane.route, credit: credit))
        }
    }

    /// Smooth weighted round robin over the lanes that still give.
    private mutating func nextLane() -> Int? {
        var best: Int?
        var total = 0.0
        for index in lanes.indices where !lanes[index].isExhausted {
            let weight = Double(queues[lanes[index].queue]?.weight ?? 1)
            lanes[index].credit += weight
            total += weight
            if best.map({ lanes[index].credit > lanes[$0].credit }) ?? true { best = index }
        }
        if let best { lanes[best].credit -= total }
        return best
    }

    private mutating func draw(from index: Int) throws {
        if lanes[index].candidates.isEmpty {
            let limit = request.slots - claim.attempts.count + 16
            let passed = lanes[index].passedOver
            let found = try Candidate.heads(of: lanes[index].id, limit: limit, offset: passed, connection)
            lanes[index].candidates = found[...]
        }
        guard let candidate = lanes[index].candidates.popFirst() else {
            lanes[index].isExhausted = true
            return
        }
        try place(candidate, lane: index)
    }

    // MARK: One job

    private mutating func place(_ job: Candidate, lane index: Int) throws {
        let lane = lanes[index]
        if let deadline = job.deadline, deadline <= now.timestamp {
            try Ending(operation).fail(job.id, lane: lane.id, batch: job.batch, .deadlineExceeded)
            return
        }
        if job.deaths >= Poison.aloneAfter, request.running > 0 || !claim.attempts.isEmpty {
            lanes[index].passedOver += 1
            claim.emptyYourself = try claim.emptyYourself || Poison.mayEmpty(request.worker, operation)
            return
        }
        if job.cache == .use, try settleFromCache(job, lane: lane) { return }
        if job.cache == .use, try isInFlight(job, route: lane.route) {
            try Holds.hold(job.id, until: now.timestamp + Self.holdLimit, under: job.promptHash, connection)
            return
        }
        guard admit(job, lane: index) else { return }
        try open(job, lane: lane)
    }

    private mutating func settleFromCache(_ job: Candidate, lane: OpenLane) throws -> Bool {
        guard
            let answer = try CachedAnswer.find(
                job.promptHash, route: lane.route, now: now.timestamp, connection)
        else { return false }
        try Ending(operation).succeedFromCache(job.id, lane: lane.id, batch: job.batch, answer)
        hits += 1
        return true
    }

    private func isInFlight(_ job: Candidate, route: Int64) throws -> Bool {
        try connection.queryOne(
            """
            SELECT 1
            FROM attempt
            WHERE fate = 'open' AND prompt_hash = ?1 AND route_id = ?2
            LIMIT 1
            """, [.blob(job.promptHash), .integer(route)], { row in row.int(0) }) != nil
    }

    /// Asks the gates; one that refuses closes its lane for this claim, never the claim.
    private mutating func admit(_ job: Candidate, lane index: Int) -> Bool {
        let lane = lanes[index]
        guard let route = routes[lane.route], let queue = queues[lane.queue] else { return false }
        if let limit = queue.concurrency, queue.running >= limit {
            lanes[index].isExhausted = true
            return false
        }
        let need = route.ledger.need(requestBytes: job.requestBytes, maxTokens: job.maxTokens)
        switch route.ledger.admission(of: need, refusedInARow: queue.refusedStreak, now: now.moment) {
        case .admitted:
            return true
        case .refused(_, _, let after):
            if let after { wake(after: after) }
            lanes[index].isExhausted = true
            return false
        }
    }

    private mutating func open(_ job: Candidate, lane: OpenLane) throws {
        guard var route = routes[lane.route], var queue = queues[lane.queue] else { return }
        let need = route.ledger.need(requestBytes: job.requestBytes, maxTokens: job.maxTokens)
        let admission = route.ledger.admission(of: need, refusedInARow: queue.refusedStreak, now: now.moment)
        let marks = route.ledger.open(need, asProbe: admission == .admitted(asProbe: true), now: now.moment)
        queue.running += 1
        routes[lane.route] = route
        queues[lane.queue] = queue
        let price = PriceTable.price(of: route.key.model)
        let worstCase =
            price?.worstCase(inputTokens: Int64(job.requestBytes), maxTokens: Int64(job.maxTokens)) ?? .zero
        let attempt = NewAttempt(
            job: job.id, number: job.attempt + 1, worker: request.worker.value, route: lane.route,
            queue: lane.queue, leaseUntil: now.moment + request.lease,
            promptHash: job.cache == .off ? nil : job.promptHash, need: need, worstCase: worstCase,
            marks: marks)
        try attempt.insert(operation)
        operation.moved(lane: lane.id, batch: job.batch, from: .queued, to: .running)
        claim.attempts.append(
            ClaimedAttempt(
                key: AttemptKey(job: JobID(job.id), number: attempt.number), queue: queue.name,
                route: route.key,
                request: try Candidate.request(of: job.id, connection), maxTokens: job.maxTokens,
                leaseUntil: attempt.leaseUntil, deadline: job.deadline, failures: job.failures,
                alone: job.deaths >= Poison.aloneAfter))
    }

    private mutating func wake(after delay: Milliseconds) {
        claim.wakeAfter = min(claim.wakeAfter ?? .max, delay)
    }
}
