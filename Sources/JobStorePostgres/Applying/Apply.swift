import Jobs
import StoreRules

// A decision's delta: what it changes of jobs and attempts is noted in memory, the rest is queued.
extension WriteContext {
    /// Decides and writes in one.
    func apply(_ decide: (inout Delta) throws -> Void) throws {
        var delta = Delta()
        try decide(&delta)
        try apply(delta)
    }

    /// Ends a job without an answer, in whatever state it is.
    func end(_ job: JobRecord, _ state: JobState, _ error: JobError?) throws {
        try apply { $0.end(job.identity, from: job.state, state, error) }
    }

    func apply(_ delta: Delta) throws {
        for change in delta.changes { try apply(change) }
        tallies.add(delta.tallies)
        for event in delta.events { try Events.record(event, self) }
        delta.notices.forEach(noticed)
    }

    private func apply(_ change: Change) throws {
        switch change {
        case .open(let attempt): try open(attempt)
        case .settle(let settled): settle(settled)
        case .writeOff(let key, let error): writeOff(key, error)
        case .finish(let finish): try self.finish(finish)
        case .serve(let job, let answer): try serve(job, answer)
        case .end(let job, let state, let error): try end(job, state, error)
        case .requeue(let requeue): try self.requeue(requeue)
        case .putBack(let job, let crashed): try putBack(job, crashed: crashed)
        case .count(let job, let attempts, let cost): try count(job, attempts: attempts, cost: cost)
        case .blame(let job, let blame, let isForgiven): try self.blame(job, blame, isForgiven: isForgiven)
        case .fallBack(let job, let position, let cause): try fallBack(job, to: position, cause)
        case .move(let move): try self.move(move)
        case .hold(let job, let until, let hash): try hold(job, until: until, under: hash)
        case .release(let release): self.release(release)
        case .prefix(let hash, let route, let change): prefix(hash, route: route, change)
        case .keep(let answer): _ = try keep(answer)
        case .passCheck(let job): passCheck(of: job)
        case .failCheck(let job, let failure, let answer): try failCheck(of: job, failure, keeping: answer)
        case .follow(let job, let state, let error): try follow(job, state, error)
        case .request(let job, let change, let facts): try request(of: job, change, facts)
        case .leaveChain(let job): try leaveChain(job)
        case .beginBatch(let place, let token): try beginBatch(place, token: token)
        case .fillBatch(let batch): try fill(batch)
        case .sealBatch(let batch, let recallAt): try seal(batch, recallAt: recallAt)
        case .providerBatch(let batch, let update): try self.update(providerBatch: batch, update)
        case .messageBatch(let batch, let update): try self.update(messageBatch: batch, update)
        case .delete(let job): delete(job)
        // Numbers of transactions are never given twice.
        case .leaveFinishOrder: break
        case .update(let job, let update): try self.update(job, update)
        case .decrementUses(let answer): decrementUses(of: answer)
        case .accept(let job, let answer): try accept(job, answer)
        case .noteReview(let job, let action, let note): noteReview(of: job, action, note: note)
        case .liftStreaks(let queue, let route): RefusalStreaks.delete(of: queue, on: route, self)
        case .queue(let queue, let change): update(queue: queue, change)
        case .route(let route, let change): update(route: route, change)
        case .budget(let change): try update(change)
        case .clearUnconfirmed(let key): clearUnconfirmed(key)
        case .credential(let key): key.save(self)
        case .openWindow(let budget, let start): try openWindow(of: budget, startsAt: start)
        case .reserve(let window, let money): try reserve(money, in: window)
        case .advance(let scheduler): VirtualTime.save(scheduler, self)
        case .drain(let worker, let until): drain(worker, until: until)
        }
    }

    /// Writes back the rows that many attempts share.
    func save(_ rowCache: RowCache) {
        for id in rowCache.changed.routes.sorted() { rowCache.routes[id]?.save(self) }
        for id in rowCache.changed.queues.sorted() { rowCache.queues[id]?.save(self) }
        for id in rowCache.changed.windows.sorted() { rowCache.windows[id]?.save(self) }
    }
}
