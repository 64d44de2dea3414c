import Jobs
import StoreRules

/// What must be true of a world, whatever happened; each by its name.
///
/// What changes found otherwise than they were decided stands in `faults` already.
extension MemoryWorld {
    /// Empty if all is well; reads every row.
    func violations() -> [String] {
        faults + auditJobs() + auditWaiting() + auditLimits() + auditSharing() + auditMoney()
            + auditTallies()
    }

    // MARK: Jobs and attempts

    private func auditJobs() -> [String] {
        var found: [String] = []
        for job in jobs {
            let holder = job.state == .running ? job.attempts.count - 1 : nil
            if let holder, job.attempts[holder].status != .open {
                found.append("a running job is held by its newest attempt: \(job.id & 0xFFFFF)")
            }
            for (place, attempt) in job.attempts.enumerated()
            where attempt.status == .open && place != holder && !attempt.isRevoked {
                found.append("one open attempt at most is a job's: \(job.id & 0xFFFFF)/\(place + 1)")
            }
            if job.isReady != (job.state == .queued && job.heldUntil == nil) {
                found.append("a queued job is ready or has a time when it is due: \(job.id & 0xFFFFF)")
            }
            if job.state.isTerminal != (job.endings == 1) {
                found.append("a job ends once: \(job.id & 0xFFFFF) ended \(job.endings) times")
            }
            if job.state == .succeeded || job.state == .review, job.answer == nil {
                found.append("a job that succeeded has its answer: \(job.id & 0xFFFFF)")
            }
            if job.forgiven > Standing.mostForgiven {
                found.append("a job is forgiven twice what may have been paid for: \(job.id & 0xFFFFF)")
            }
            if job.attemptsCounted > job.maxAttempts + (job.check?.used ?? 0) {
                found.append("no more attempts count than the job may have: \(job.id & 0xFFFFF)")
            }
            let cost = job.attempts.reduce(0) { $0 + $1.cost }
            if job.cost != cost {
                found.append("a job's cost is what its attempts cost: \(job.id & 0xFFFFF)")
            }
        }
        return found
    }

    /// No job is forgotten: who waits for a call has one to wait for, or one that will be made.
    private func auditWaiting() -> [String] {
        unfinished.compactMap { place in
            let job = jobs[place]
            guard let hash = job.heldHash, !willCome(.init(hash: hash, route: lane(job.lane).route), [])
            else {
                return nil
            }
            let what = job.request.prefix?.hash == hash ? "prefix" : "prompt"
            return "who waits for a call has one to wait for: \(job.id & 0xFFFFF), \(what)"
        }
    }

    /// Whether a call for a prompt or a prefix is in flight, or one is next, or the next one waits for another that will come.
    private func willCome(_ call: PromptOnRoute, _ waiting: Set<PromptOnRoute>) -> Bool {
        if isInFlight(call.hash, route: call.route, withBatches: true) { return true }
        if let writer = prefixes[call]?.writer, self[attempt: writer].status == .open { return true }
        let isNext = unfinished.contains { place in
            let next = jobs[place]
            guard next.state == .queued, lane(next.lane).route == call.route,
                next.request.promptHash == call.hash || next.request.prefix?.hash == call.hash
            else { return false }
            guard let held = next.heldHash else { return true }
            let other = PromptOnRoute(hash: held, route: call.route)
            return other != call && !waiting.contains(other) && willCome(other, waiting.union([call]))
        }
        return isNext || news.contains { $0.tells(of: call) }
    }

    // MARK: Routes, queues and sharing

    private func auditLimits() -> [String] {
        var found: [String] = []
        let flying = open.map { self[attempt: $0] }.filter { $0.providerBatch == nil }
        let untold = news.filter { $0.routeIsUntold && $0.attempt.providerBatch == nil }.map(\.attempt)
        for place in routes.indices {
            let (id, ledger) = (Int64(place + 1), routes[place].state.ledger)
            let here = flying.filter { $0.route == id }
            let old = untold.filter { $0.route == id && $0.status == .open }
            if ledger.running != here.count + old.count {
                found.append("a route's running calls are its open attempts: \(id): \(ledger.running)")
            }
            let input = here.reduce(0) { $0 + $1.need.input } + old.reduce(0) { $0 + $1.need.input }
            let output = here.reduce(0) { $0 + $1.need.output } + old.reduce(0) { $0 + $1.need.output }
            if abs(ledger.openInput - input) > 0.01 || abs(ledger.openOutput - output) > 0.01 {
                found.append("what a route has reserved is what its open attempts reserved: \(id)")
            }
            for line in ledger.lines.values where line.bucket.level > line.bucket.capacity + 0.001 {
                found.append("a bucket holds no more than its capacity: \(id)")
            }
        }
        for place in queues.indices {
            let id = Int64(place + 1)
            let count =
                flying.count { $0.queue == id } + untold.count { $0.queue == id && $0.status == .open }
            let running = queues[place].running.reduce(0, +)
            if running != count {
                found.append("a queue's running calls are its open attempts: \(id): \(running) and \(count)")
            }
        }
        return found
    }

    private func auditSharing() -> [String] {
        var seen: Set<SharedCall> = []
        return open.compactMap { key in
            let (attempt, job) = (self[attempt: key], self[job: key.job.value])
            guard let hash = attempt.promptHash, job.cache == .use, !job.skipsCoalescing,
                job.state == .running, job.attempts.count == key.number
            else { return nil }
            let call = SharedCall(
                hash: hash, route: attempt.home, isBatched: attempt.providerBatch != nil)
            return seen.insert(call).inserted
                ? nil : "one call flies for a prompt that may be shared: \(key.job.value & 0xFFFFF)"
        }
    }

    private struct SharedCall: Hashable {
        let hash: [UInt8]
        let route: Int64
        let isBatched: Bool
    }

    /// Whether a call was needed, as far as its claim could see.
    mutating func auditCall(of job: JobRow, _ attempt: NewAttempt, looked: Int) {
        guard job.cache == .use, settings.sharesAnswers, attempt.choice.position == 0, job.check == nil else {
            return
        }
        let known = answers.contains { answer in
            answer.hash == job.request.promptHash && answer.route == attempt.home && answer.job != job.id
                && answer.commit <= looked && answer.expiresAt > now.timestamp
        }
        if known { fault("no call is made whose answer was there", "\(job.id & 0xFFFFF)") }
    }

    // MARK: Tallies

    private func auditTallies() -> [String] {
        var counts = Tallies()
        for job in jobs { counts.moved(lane: job.lane, batch: nil, from: nil, to: job.state) }
        let told = tallies.lanes.filter { $0.value != 0 }
        return told == counts.lanes ? [] : ["a lane's tally is the count of its jobs: \(told)"]
    }
}

extension News {
    /// Whether its fold releases who waits for the call.
    fileprivate func tells(of call: MemoryWorld.PromptOnRoute) -> Bool {
        (attempt.home == call.route || attempt.route == call.route)
            && (attempt.promptHash == call.hash || snapshot.job.prefix?.hash == call.hash)
    }
}
