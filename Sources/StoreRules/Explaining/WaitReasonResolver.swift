package import Jobs

/// Says what a queued job waits for, from the same gates that the claim asks.
package struct WaitReasonResolver<Reads: WaitReads> {
    let reads: Reads
    let now: Now
    let settings: RuleSettings
    var forecast: Forecast<Reads>
    private var routes: [Int64: RouteState] = [:]
    private var coverages: [ServiceKey: ServiceCoverage] = [:]
    private var book: BudgetBook?

    package init(_ reads: Reads, now: Now, settings: RuleSettings) {
        self.reads = reads
        self.now = now
        self.settings = settings
        forecast = Forecast(reads)
    }

    /// Nil if the job waits for nothing that is known.
    package mutating func waiting(of job: Job) throws -> WaitingFor? {
        switch job.state {
        case .queued: try waiting(of: job.id.value)
        case .running where job.isHalfPrice:
            try reads.providerBatch(of: AttemptKey(job: job.id, number: job.attempt))?.waiting
        default: nil
        }
    }

    private mutating func waiting(of id: Int64) throws -> WaitingFor? {
        guard let job = try reads.waitingJob(id), var waiting = try gate(before: job) else { return nil }
        if job.hold != nil {
            waiting.estimatedAt = waiting.until
        } else if waiting.mayPass, let route = try route(job.route) {
            waiting.estimate(try forecast.turn(of: job, on: route), now: now.timestamp)
        }
        return waiting
    }

    /// The jobs of a lane as a total: what its first one waits for, and when its last one is expected to run.
    mutating func total(of lane: WaitingLane) throws -> WaitingTotal? {
        guard let head = lane.head, let job = try reads.waitingJob(head),
            var waiting = try gate(before: job)
        else { return nil }
        if waiting.mayPass, let route = try route(lane.route) {
            let time = try forecast.time(for: Double(lane.jobs), queue: lane.queue, route: route)
            waiting.estimate(time, now: now.timestamp)
        }
        return WaitingTotal(waiting: waiting, jobs: lane.jobs)
    }
}

// MARK: - What is read once

extension WaitReasonResolver {
    /// Refilled up to now.
    mutating func route(_ id: Int64) throws -> RouteState? {
        if let known = routes[id] { return known }
        guard var route = try reads.route(id) else { return nil }
        route.ledger.advance(to: now.moment)
        routes[id] = route
        return route
    }

    mutating func route(_ key: RouteKey) throws -> RouteState? {
        if let known = routes.values.first(where: { $0.key == key }) { return known }
        guard var route = try reads.route(key) else { return nil }
        route.ledger.advance(to: now.moment)
        routes[route.id] = route
        return route
    }

    mutating func coverage(of service: ServiceKey) throws -> ServiceCoverage {
        if let known = coverages[service] { return known }
        let found = ServiceCoverage(try reads.callers(of: service))
        coverages[service] = found
        return found
    }

    mutating func gates(of job: WaitingJob, _ queue: QueueState) throws -> Gates {
        let known = try book ?? reads.budgetBook()
        book = known
        return Gates(queue: queue, tags: job.tags, isInteractive: job.isInteractive, book: known, now: now)
    }
}

extension WaitingFor {
    /// Whether it ends by itself, in a time that can be estimated from the rate of the bottleneck.
    fileprivate var mayPass: Bool {
        switch reason {
        case .worker, .rateLimit, .concurrency: true
        // When a provider is back, or how far the next window's money reaches, is not known.
        case .breaker, .budget, .providerSpendLimit, .schedule, .retry, .pause, .identicalPrompt, .batch:
            false
        }
    }

    /// Expects it so long after its gate opens.
    fileprivate mutating func estimate(_ time: Milliseconds?, now: Timestamp) {
        estimatedAt = time.map { max(until ?? now, now) + $0 }
    }
}
