import Jobs

// From what holds the job itself to the slot that it lacks.
extension WaitReasonResolver {
    mutating func gate(before job: WaitingJob) throws -> WaitingFor? {
        if job.isSealed {
            return WaitingFor(
                reason: .pause, detail: "its batch is not wholly uploaded yet, or is being cancelled")
        }
        guard let queue = try reads.queue(job.queue) else { return nil }
        let gates = try gates(of: job, queue)
        if let hold = job.hold { return try held(job, hold, gates) }
        if let pause = gates.pause { return pause.waiting(at: now.timestamp) }
        if job.isHalfPrice { return try nextBatch(job, gates) }
        return try gates.concurrency?.waiting(at: now.timestamp) ?? call(of: job, gates)
    }

    // MARK: A held job

    private mutating func held(
        _ job: WaitingJob, _ hold: WaitingJob.Hold, _ gates: Gates
    ) throws -> WaitingFor? {
        switch hold.cause {
        case .prompt:
            return WaitingFor(reason: .identicalPrompt, detail: "a call for the same prompt is in flight")
        case .prefix:
            return WaitingFor(
                reason: .identicalPrompt,
                detail: "a call that writes the provider's prompt cache for it is in flight")
        case .time: break
        }
        if let waiting = try heldByFallback(job, hold, gates) { return waiting }
        return job.failures > 0
            ? WaitingFor(
                reason: .retry, detail: "after \(job.failures) failed attempts", until: hold.until)
            : WaitingFor(reason: .schedule, detail: "not due yet", until: hold.until)
    }

    /// What a job that left its own route waits for there: a claim that found it closed lays it aside for moments, so that
    /// it does not stand in the way of its lane.
    ///
    /// Nil if a time or a failure holds it.
    private mutating func heldByFallback(
        _ job: WaitingJob, _ hold: WaitingJob.Hold, _ gates: Gates
    ) throws -> WaitingFor? {
        guard job.position > 0, !hold.isRunTime,
            hold.until <= now.timestamp + ClaimLimits.lentPause.upperBound,
            var waiting = try call(of: job, gates)
        else { return nil }
        if waiting.reason == .worker, job.failures > 0 { return nil }
        waiting.until = waiting.reason == .worker ? hold.until : waiting.until.map { max($0, hold.until) }
        return waiting
    }

    // MARK: A job with a call of its own

    private mutating func call(of job: WaitingJob, _ gates: Gates) throws -> WaitingFor? {
        guard let home = try route(job.route) else { return nil }
        let key = settings.fallbacks.route(at: job.position, of: home.key)
        // A route that no job has used yet has no gates.
        guard let route = key == home.key ? home : try route(key) else { return .nextSlot(for: key) }
        if let lack = try missingWorker(for: route.key) { return lack }
        let closed = try gates.waiting(for: job.call(settings), on: route) {
            try reads.keyHolders(of: route.key.service, owner: job.owner)
        }
        if let closed { return closed }
        if let waiting = try moneyOfNextJob(before: job, gates, route.key) { return waiting }
        return try forecast.slots() == 0 ? .anyWorker : .nextSlot(for: route.key)
    }

    /// Jobs of one lane are paid in their order: one that the budget cannot pay yet keeps back those that it could.
    private func moneyOfNextJob(
        before job: WaitingJob, _ gates: Gates, _ route: RouteKey
    ) throws -> WaitingFor? {
        guard let head = try reads.head(of: job.lane), head != job.id, let next = try reads.waitingJob(head),
            var waiting = gates.budget(next.call(settings), on: route)?.waiting(at: now.timestamp)
        else { return nil }
        waiting.detail = "\(JobID(head)) goes first, and waits: \(waiting.detail)"
        return waiting
    }

    private mutating func missingWorker(for route: RouteKey) throws -> WaitingFor? {
        guard try coverage(of: route.service) == .otherServices else { return nil }
        return WaitingFor(reason: .worker, detail: route.noWorkerDescription)
    }

    // MARK: A job that goes with a provider batch

    private mutating func nextBatch(_ job: WaitingJob, _ gates: Gates) throws -> WaitingFor? {
        guard let route = try route(job.route) else { return nil }
        if let lack = try missingWorker(for: route.key) { return lack }
        if try forecast.slots() == 0 { return .anyWorker }
        let closure =
            route.ledger.pause ?? gates.budget(job.call(settings), on: route.key, isHalfPrice: true)
        return closure?.waiting(at: now.timestamp)
            ?? WaitingFor(
                reason: .batch, detail: "it goes out with the next batch of its provider, at half the price")
    }
}

extension WaitingFor {
    fileprivate static let anyWorker = WaitingFor(
        reason: .worker, detail: "no worker is running: start one with `renga work`")

    fileprivate static func nextSlot(for route: RouteKey) -> WaitingFor {
        WaitingFor(reason: .worker, detail: "the next free slot of a worker that serves \(route.name)")
    }
}
