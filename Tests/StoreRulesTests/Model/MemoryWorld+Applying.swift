import Jobs
import StoreRules

/// With what a delta is applied.
struct Applying {
    /// When it was decided.
    let now: Now
    /// The route whose scheduler it moves on; nil if there is one for all.
    var route: Int64?
    /// The last commit that it had seen when it looked for calls in flight.
    var looked: Int
    /// Whether to leave out what others' rows share: it comes with the news.
    var leavesShared = false
}

// Each change as the store writes it. What a change finds otherwise than it was decided is a fault.
extension MemoryWorld {
    mutating func apply(_ delta: Delta, _ terms: Applying) {
        commits += 1
        for change in delta.changes { apply(change, terms) }
        tallies.add(delta.tallies)
    }

    private mutating func apply(_ change: Change, _ terms: Applying) {
        switch change {
        case .open(let attempt): open(attempt, terms)
        case .settle(let settled): settle(settled)
        case .writeOff(let key, let error): writeOff(key, error)
        case .finish(let finish): self.finish(finish, terms)
        case .serve(let job, let answer): serve(job, answer)
        case .end(let job, let state, _): end(job, state)
        case .requeue(let requeue): self.requeue(requeue)
        case .putBack(let job, let crashed): putBack(job, crashed: crashed)
        case .count(let job, let counted, let cost):
            self[job: job].attemptsCounted = counted
            self[job: job].cost += cost
        case .blame(let job, let blame, let isForgiven):
            self[job: job].blame = blame
            self[job: job].forgiven += isForgiven ? 1 : 0
        case .fallBack(let job, let position, let cause):
            self[job: job].position = position
            self[job: job].cause = cause
        case .leaveChain(let job):
            self[job: job].position = 0
            self[job: job].cause = nil
        case .move(let move): self.move(move)
        case .hold(let job, let until, let hash): hold(job, until: until, under: hash)
        case .release(let release): self.release(release)
        case .prefix(let hash, let route, let change): prefix(.init(hash: hash, route: route), change)
        case .keep(let answer): _ = keep(answer, terms)
        case .passCheck(let job): self[job: job].check?.passed = true
        case .failCheck(let job, let failure, let answer):
            self[job: job].check?.passed = false
            self[job: job].check?.used = failure.used
            if let answer { self[job: job].answer = keep(answer, terms) }
        case .follow(let job, let state, _): follow(job, state)
        case .request(let job, let change, let facts): request(of: job, change, facts)
        case .beginBatch(let place, let token):
            batches.append(BatchRow(place: place))
            began(batch: Int64(batches.count), token: token)
        case .fillBatch(let batch): fill(batch)
        case .sealBatch(let batch, let recallAt):
            batches[Int(id(of: batch) - 1)].state = .sealed
            batches[Int(id(of: batch) - 1)].recallAt = recallAt
        case .credential(let key): if !terms.leavesShared { credentials[Int(key.id - 1)] = key }
        case .openWindow(let budget, let start): openWindow(of: budget, startsAt: start)
        case .reserve(let window, let money):
            windows[Int(id(of: window) - 1)].reserved = money.nanodollars
        case .advance(let scheduler): virtualTime[Int((terms.route ?? 1) - 1)] = scheduler.virtualTime
        case .drain(let worker, let until):
            if let place = workers.firstIndex(where: { $0.id == worker.value }) {
                workers[place].drainUntil = until
            }
        case .update(let job, let update): self.update(job, update)
        case .accept(let job, _): end(job, .succeeded)
        case .liftStreaks(let queue, let route):
            if let route {
                queues[Int(queue - 1)].streaks[route] = nil
            } else {
                queues[Int(queue - 1)].streaks = [:]
            }
        // The model keeps no order of finishing, every answer, and no notes.
        case .leaveFinishOrder, .decrementUses, .noteReview: break
        case .providerBatch, .messageBatch, .delete, .queue, .route, .budget, .clearUnconfirmed:
            preconditionFailure("the walks decide nothing that people change: \(change)")
        }
    }

    /// What a fold of news repeats: what waits for calls, and keys.
    mutating func applyShared(_ delta: Delta, releases: Bool) {
        for change in delta.changes {
            switch change {
            case .release(let release): if releases { self.release(release) }
            case .credential(let key): credentials[Int(key.id - 1)] = key
            case .prefix(let hash, let route, let change):
                prefix(.init(hash: hash, route: route), change)
            default: break
            }
        }
    }

    // MARK: Attempts

    private mutating func open(_ attempt: NewAttempt, _ terms: Applying) {
        let (id, job) = (attempt.key.job.value, self[job: attempt.key.job.value])
        expect(job.state == .queued && job.isReady, "only a ready job is called", id)
        expect(
            attempt.key.number == job.attempts.count + 1, "attempts are numbered without gaps", id)
        auditCall(of: job, attempt, looked: terms.looked)
        self[job: id].state = .running
        self[job: id].isReady = false
        self[job: id].attempts.append(
            AttemptRow(
                worker: attempt.worker, route: attempt.choice.route, home: attempt.home,
                position: attempt.choice.position, queue: attempt.queue, openedAt: terms.now.moment,
                openedOn: terms.now.timestamp, leaseUntil: attempt.leaseUntil,
                promptHash: attempt.promptHash, need: attempt.need,
                reservedCost: attempt.worstCase.nanodollars, marks: attempt.marks,
                windows: attempt.windows.map { self.id(of: $0) },
                providerBatch: attempt.providerBatch.map { self.id(of: $0) }))
        open.append(attempt.key)
        if attempt.providerBatch == nil { grant(attempt.choice.route, calls: 1) }
    }

    private mutating func settle(_ settled: AttemptSettlement) {
        let key = settled.settlement.key
        expect(self[attempt: key].status != .settled, "an attempt is settled once", key.job.value)
        // What the provider never got is granted to others.
        let isUnsent =
            settled.settlement.verdict == .handedBack(sent: false) && settled.settlement.usage == nil
        if isUnsent || settled.settlement.routeEvent == .neutral, self[attempt: key].status == .open,
            self[attempt: key].providerBatch == nil
        {
            grant(self[attempt: key].route, calls: -1)
        }
        self[attempt: key].status = .settled
        self[attempt: key].cost = settled.cost
        self[attempt: key].unconfirmedCost = settled.unconfirmedCost
        open.removeAll { $0 == key }
    }

    private mutating func writeOff(_ key: AttemptKey, _ error: JobError) {
        expect(self[attempt: key].status == .open, "only an open attempt is written off", key.job.value)
        self[attempt: key].status = .writtenOff
        self[attempt: key].unconfirmedCost = self[attempt: key].reservedCost
        self[attempt: key].error = error
        open.removeAll { $0 == key }
    }

    /// Calls taken from a route's grant, or given back.
    private mutating func grant(_ route: Int64, calls: Double) {
        let place = Int(route - 1)
        guard var grant = routes[place].granted else { return }
        grant.advance(to: now.timestamp)
        grant.level = min(grant.capacity, grant.level - calls)
        routes[place].granted = grant
        expect(
            grant.level > -0.001, "a limit per minute grants no more than it has", route)
    }

    // MARK: Budgets and batches

    private mutating func openWindow(of budget: Int64, startsAt: Timestamp) {
        let isOpen = windows.contains { $0.budget == budget && $0.startsAt == startsAt }
        expect(!isOpen, "a budget has one window at a time", budget)
        windows.append(WindowRow(budget: budget, startsAt: startsAt))
        opened(window: Int64(windows.count), of: budget)
        for place in windows.indices.dropLast() where windows[place].budget == budget {
            windows[place].exhaustionLogged = false
        }
    }

    private mutating func fill(_ batch: FillingBatch) {
        let place = Int(id(of: batch.reference) - 1)
        batches[place].requests = batch.requests
        batches[place].bytes = batch.bytes
        batches[place].soonest = batch.soonest
    }

    mutating func expect(_ holds: Bool, _ name: String, _ id: Int64) {
        if !holds { fault(name, "\(id >> 20 == 0 ? id : id & 0xF_FFFF)") }
    }
}
