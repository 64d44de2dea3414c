package import Jobs

// Attempts that nothing will answer for in time: the job returns; what its call may have used does not.
extension Delta {
    /// Its lease ran out.
    ///
    /// Request and tokens stay spent, and the reserved worst case is booked as unconfirmed.
    ///
    /// The cache must have the attempt's route, queue and budget windows.
    package mutating func reap(
        _ snapshot: SettleSnapshot, in rowCache: inout RowCache, laneBudget: LaneBudget, now: Now
    ) {
        let (attempt, job) = (snapshot.attempt, snapshot.job)
        writeOff(attempt, job, .leaseLost, in: &rowCache, now: now)
        if job.isHeld(by: attempt) { putBack(job, laneBudget) }
        closePrefix(
            of: attempt, job, wasWriter: snapshot.wroteItsPrefix, answered: false, now: now.moment)
        releaseFollower(of: attempt)
    }

    /// Its job cannot wait any longer for what a provider batch will bring.
    package mutating func recall(
        _ snapshot: SettleSnapshot, in rowCache: inout RowCache, laneBudget: LaneBudget, now: Now
    ) {
        let (attempt, job) = (snapshot.attempt, snapshot.job)
        writeOff(attempt, job, .batchOverdue, in: &rowCache, now: now)
        guard job.isHeld(by: attempt) else { return }
        add(.putBack(job: job.id, crashed: false))
        tallies.moved(lane: job.lane, batch: job.batch, from: .running, to: .queued)
        move(job, state: .queued, laneBudget) { $0.leaveHalfPrice() }
        releaseFollower(of: attempt)
    }

    private mutating func writeOff(
        _ attempt: AttemptRecord, _ job: JobRecord, _ error: JobError, in rowCache: inout RowCache, now: Now
    ) {
        add(.writeOff(attempt.key, error))
        if attempt.providerBatch == nil { free(attempt, in: &rowCache, now: now.moment) }
        tallies.spent(lane: job.lane, tags: job.tags, at: now.timestamp) { spend in
            spend.calls += 1
            spend.unconfirmedCost += attempt.reservedCost
        }
        tallies.booked(batch: job.batch) { money in
            money.calls += 1
            money.unconfirmedCost += attempt.reservedCost
        }
        apply(
            BudgetLedger.Change(closing: attempt, cost: 0, unconfirmedCost: attempt.reservedCost),
            to: attempt.windows, in: &rowCache, worstCase: Money(nanodollars: attempt.reservedCost), now: now)
    }

    private func free(_ attempt: AttemptRecord, in rowCache: inout RowCache, now: Moment) {
        if var queue = rowCache.queues[attempt.queue] {
            queue.running = max(0, queue.running - 1)
            rowCache.keep(queue)
        }
        if var route = rowCache.routes[attempt.route] {
            route.ledger.writeOff(attempt.need, now: now)
            rowCache.keep(route)
        }
    }

    private mutating func putBack(_ job: JobRecord, _ laneBudget: LaneBudget) {
        let crashes = job.crashCount + 1
        guard crashes < Poison.failAfter else {
            let error = JobError(
                type: "worker_lost", message: "\(crashes) workers died while they held this job",
                retryable: true)
            return end(job.identity, from: .running, .failed, error)
        }
        add(.putBack(job: job.id, crashed: true))
        tallies.moved(lane: job.lane, batch: job.batch, from: .running, to: .queued)
        move(job, state: .queued, laneBudget) { $0.leaveInteractiveLane() }
    }

    /// The first of those that wait for the same prompt goes next.
    private mutating func releaseFollower(of attempt: AttemptRecord) {
        guard let hash = attempt.promptHash else { return }
        add(.release(Release(.first, hash, route: attempt.home)))
    }
}

extension JobError {
    fileprivate static let leaseLost = JobError(
        type: "lease_lost",
        message: "the worker did not renew its lease: it died, was stopped or lost its disk",
        retryable: true)
    fileprivate static let batchOverdue = JobError(
        type: "batch_overdue",
        message: "the provider's batch was not done in time, and could not be called back",
        retryable: true)
}
