package import Jobs

// One candidate: settled without a call, held, refused, or opened.
extension ClaimPlanner {
    mutating func place(_ job: Candidate, lane index: Int) throws {
        let lane = lanes[index].lane
        if lanesChange, let move = try reads.move(of: job) {
            decision.asides += 1
            decision.more = true
            decision.delta.add(.move(move))
            return
        }
        if let deadline = job.deadline, now.ends(deadline) { return fail(job, lane, .deadlineExceeded) }
        let shares = job.takesSharedAnswers(settings)
        if shares, try serve(job, lane, route: lane.route) { return }
        if shares, !job.skipsCoalescing, try isInFlight(job, route: lane.route) {
            return hold(job, until: now.timestamp + ClaimLimits.hold, under: job.promptHash)
        }
        if let prefix = job.prefix, try state(of: prefix, route: lane.route) == .awaited {
            return hold(job, until: now.timestamp + ClaimLimits.hold, under: prefix.hash)
        }
        guard let choice = try admit(job, lane: index) else { return }
        if shares, choice.route != lane.route, try serve(job, lane, route: choice.route) {
            // Those that wait for it on its own route find the same.
            decision.delta.add(
                .release(Release(.all(skippingCoalescing: false), job.promptHash, route: lane.route)))
            return
        }
        if job.runsAlone, request.running > 0 { return try askToDrain() }
        try open(job, lane: index, choice)
    }

    // MARK: Without a call

    private mutating func fail(_ job: Candidate, _ lane: ReadyLane, _ error: JobError) {
        decision.asides += 1
        decision.delta.end(
            job.identity(lane: lane.id, route: lane.route), from: .queued, .failed, error)
    }

    private mutating func hold(_ job: Candidate, until: Timestamp, under hash: [UInt8]?) {
        decision.asides += 1
        decision.delta.add(.hold(job: job.id, until: until, under: hash))
    }

    private mutating func serve(_ job: Candidate, _ lane: ReadyLane, route: Int64) throws -> Bool {
        guard let answer = try reads.cachedAnswer(job.promptHash, route: route),
            try decision.delta.serve(
                job.identity(lane: lane.id, route: lane.route), answer, reads, at: now.timestamp)
        else { return false }
        decision.asides += 1
        decision.settledFromCache += 1
        return true
    }

    private func isInFlight(_ job: Candidate, route: Int64) throws -> Bool {
        try inFlight.contains(PromptOnRoute(hash: job.promptHash, route: route))
            || reads.isInFlight(job.promptHash, route: route, withBatches: false)
    }

    private func state(of prefix: CachePrefix, route: Int64) throws -> PrefixState {
        try prefixes[PromptOnRoute(hash: prefix.hash, route: route)]
            ?? PrefixState(reads.prefix(prefix, route: route), at: now.moment)
    }

    /// One worker at a time drains for a job that must run alone, so that a poison prompt slows no fleet.
    private mutating func askToDrain() throws {
        guard try !reads.anotherDrains(than: request.worker) else { return }
        decision.drainFirst = true
        decision.delta.add(.drain(request.worker, until: now.moment + Poison.patience))
    }

    // MARK: The gates

    /// A gate that refuses closes its lane for this claim, never the claim.
    private mutating func admit(_ job: Candidate, lane index: Int) throws -> RouteChoice? {
        let lane = lanes[index].lane
        guard let home = decision.rowCache.routes[lane.route], let gates = gates(of: lanes[index]) else {
            return nil
        }
        if gates.concurrency != nil {
            lanes[index].isExhausted = true
            return nil
        }
        let chains = settings.fallbacks
        if let error = try book.refusal(
            of: job, from: home.key, chains, queue: gates.queue.name, tags: lane.tags,
            spent: { try reads.spent(on: job.id) })
        {
            fail(job, lane, error)
            return nil
        }
        let choice = try chains.choose(from: job.position, of: home.key) { key in
            guard let route = try route(key, home: home) else { return nil }
            return gates.admission(of: job.call, on: reserved.state(of: route), key: keys[key.service])
        }
        switch choice {
        case .fly(let position, let cause):
            guard let route = try route(chains.route(at: position, of: home.key), home: home) else {
                return nil
            }
            return RouteChoice(route: route.id, position: position, cause: cause ?? job.cause)
        case .wait(_, _, let after) where job.position > 0:
            // Its lane may be open to others.
            let pause = ClaimLimits.lentPause
            let wait = min(pause.upperBound, max(pause.lowerBound, after ?? 1000))
            hold(job, until: now.timestamp + wait, under: nil)
            return nil
        case .wait(let gate, _, let after):
            if let after { decision.wake(after: after) }
            if gate == .rateLimit { close(route: lane.route) }
            lanes[index].isExhausted = true
            return nil
        }
    }

    // MARK: Opening

    private mutating func open(_ job: Candidate, lane index: Int, _ choice: RouteChoice) throws {
        let lane = lanes[index]
        guard var route = decision.rowCache.routes[choice.route],
            var queue = decision.rowCache.queues[lane.lane.queue], let gates = gates(of: lane)
        else { return }
        let need = route.ledger.need(requestBytes: job.call.requestBytes, maxTokens: job.call.maxTokens)
        let isProbe =
            route.ledger.admission(of: need, in: gates.queue.line(on: choice.route), now: now.moment)
            == .admitted(asProbe: true)
        let learnsLimits = !route.ledger.isLearned
        let marks = route.ledger.open(need, asProbe: isProbe, now: now.moment)
        reserved.take(need, on: route.id, in: queue, precedence: lane.precedence, now: now.moment)
        queue.running += 1
        if !lane.lane.isInteractive { queue.streaks.tookCall(on: choice.route) }
        queue.pass = scheduler.take(at: queue.pass, weight: queue.weight * lane.precedence)
        decision.rowCache.keep(route)
        decision.rowCache.keep(queue)
        noteProbe(of: route.key.service)
        let call = gates.priced(job.call, on: route.key)
        let (worstCase, windows) = book.reserve(for: call, &decision.delta)
        let shared = job.sharedPrompt(settings)
        let leaseUntil = now.moment + request.lease
        decision.delta.add(
            .open(
                NewAttempt(
                    key: job.nextAttempt, worker: request.worker.value, choice: choice, home: lane.lane.route,
                    queue: queue.id, leaseUntil: leaseUntil, promptHash: shared, need: need,
                    worstCase: worstCase, windows: windows, marks: marks)))
        if let shared { inFlight.insert(PromptOnRoute(hash: shared, route: lane.lane.route)) }
        try noteWriter(of: job, lane.lane, choice)
        decision.delta.tallies.moved(lane: lane.lane.id, batch: job.batch, from: .queued, to: .running)
        decision.calls.append(
            OpenedCall(
                key: job.nextAttempt, queue: queue.name, route: route.key, choice: choice, job: job,
                leaseUntil: leaseUntil, isProbe: isProbe, learnsLimits: learnsLimits))
    }

    /// A call with a key that is refused tries whether it still is.
    private mutating func noteProbe(of service: ServiceKey) {
        guard var key = keys[service] else { return }
        key.gate.probeSent(at: now.moment)
        keys[service] = key
        decision.delta.add(.credential(key))
    }

    /// The first of those that share a prefix writes it for all.
    private mutating func noteWriter(of job: Candidate, _ lane: ReadyLane, _ choice: RouteChoice) throws {
        guard let prefix = job.prefix else { return }
        // On another route it writes nothing that those who wait on this one could read.
        guard choice.route == lane.route else {
            return decision.delta.add(.release(Release(.first, prefix.hash, route: lane.route)))
        }
        guard try state(of: prefix, route: lane.route) == .cold else { return }
        decision.delta.add(
            .prefix(prefix.hash, route: lane.route, .awaited(by: job.nextAttempt, now.moment)))
        prefixes[PromptOnRoute(hash: prefix.hash, route: lane.route)] = .awaited
    }
}

extension Delta {
    /// Settles a queued job with an answer that is there; false if the answer does not pass the job's check: the job makes its own
    /// call.
    package mutating func serve(
        _ job: JobIdentity, _ answer: CachedAnswer, _ reads: some ClaimReads, at now: Timestamp
    ) throws -> Bool {
        if let sent = try reads.sentRequest(of: job.id), let check = sent.check {
            guard let body = try reads.body(of: answer.id),
                check.failure(of: body, to: sent.bytes) == nil
            else { return false }
            add(.passCheck(job: job.id))
        }
        serve(job, tags: try reads.tags(of: job.id), answer, at: now)
        return true
    }
}
