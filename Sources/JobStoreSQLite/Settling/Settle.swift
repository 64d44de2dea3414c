package import Jobs
import SQLite

extension SQLiteJobStore {
    package func settle(_ settlement: Settlement, now: Now) async throws -> SettleOutcome {
        do {
            let settled = try await withCheckedThrowingContinuation { done in
                if settleBatcher.join(SettleBatcher.Entry(settlement: settlement, now: now, done: done)) {
                    settleTogether()
                }
            }
            settings.tell(settled.events, settled.notices)
            return settled.outcome
        } catch {
            throw JobStoreError(error)
        }
    }

    /// Sends one operation for those that wait by then.
    private func settleTogether() {
        let (settings, group) = (settings, SettleGroup(settleBatcher))
        writer.submit { connection in
            try Self.close(group.entries, connection, settings)
        } completion: { [writer] result in
            let entries = group.entries
            switch result {
            case .success(let settled):
                for (entry, settled) in zip(entries, settled) { entry.done.resume(returning: settled) }
            case .failure(let error) where entries.count == 1:
                entries[0].done.resume(throwing: error)
            case .failure:
                // One that cannot be settled must not spoil its neighbours.
                for entry in entries {
                    writer.submit { connection in
                        try Self.close([entry], connection, settings)[0]
                    } completion: {
                        entry.done.resume(with: $0)
                    }
                }
            }
        }
    }

    private static func close(
        _ entries: [SettleBatcher.Entry], _ connection: Connection, _ settings: StoreSettings
    ) throws -> [SettleBatcher.Settled] {
        guard let first = entries.first else { return [] }
        let context = WriteContext(connection, now: first.now, settings: settings)
        let ledgers = RowCache(connection)
        var settled: [SettleBatcher.Settled] = []
        settled.reserveCapacity(entries.count)
        for entry in entries {
            context.now = entry.now
            let (told, noticed) = (context.events.count, context.notices.count)
            let outcome = try SettleTransaction(context, ledgers, entry.settlement).run()
            settled.append(
                SettleBatcher.Settled(
                    outcome: outcome, events: Array(context.events[told...]),
                    notices: Array(context.notices[noticed...])))
        }
        try ledgers.save()
        try context.flush()
        return settled
    }
}

/// Closes one attempt: its money and its share of the limits always, its job only where the attempt still holds it.
struct SettleTransaction {
    let context: WriteContext
    let ledgers: RowCache
    let settlement: Settlement
    var connection: Connection { context.connection }
    var now: Now { context.now }

    init(_ context: WriteContext, _ ledgers: RowCache, _ settlement: Settlement) {
        self.context = context
        self.ledgers = ledgers
        self.settlement = settlement
    }

    func run() throws -> SettleOutcome {
        guard let attempt = try StoredAttempt.find(settlement.key, connection),
            let job = try StoredJob.find(attempt.job, connection)
        else { return .repeated }
        switch attempt.status {
        case .settled: return .repeated
        case .writtenOff: return try settleLate(attempt, job)
        case .open: return try settleOpen(attempt, job)
        }
    }

    // MARK: In time

    private func settleOpen(_ attempt: StoredAttempt, _ job: StoredJob) throws -> SettleOutcome {
        guard var route = try ledgers.route(attempt.route) else { return .repeated }
        let blame = Blame(job, attempt, settlement, route)
        let step = try FallbackStep.find(settlement, attempt, context)
        let resolved = step?.resolved ?? settlement.verdict.resolve(blame.standing, now: now.timestamp)
        if attempt.providerBatch == nil { try close(&route, attempt, job, blame.event(resolved)) }
        try blame.note(resolved, route, connection)
        try RefusalSettlement(context, ledgers).close(
            settlement, attempt, job, route.key, leaves: step != nil)
        let cost = try bookedCost(of: attempt, job, on: route)
        let unconfirmedCost = unconfirmedCost(of: attempt.reservedCost, cost: cost)
        try attempt.close(settlement, resolved, cost: cost, unconfirmedCost: unconfirmedCost, context)
        let wasCalled = settlement.verdict != .handedBack(sent: false)
        try book(calls: wasCalled ? 1 : 0, cost: cost, unconfirmedCost: unconfirmedCost, attempt, route, job)
        try BudgetSettlement(context).close(attempt, cost: cost, unconfirmedCost: unconfirmedCost)
        let outcome = try settleJob(job, attempt, resolved, cost: cost)
        try PromptCacheWarmup.close(
            attempt, of: job, answered: settlement.answer != nil, now: now.moment, connection)
        if let step, outcome == .settled(.queued) { try step.take(job.id, connection) }
        return outcome
    }

    /// Its share of the limits, and what it says of the gates of the route and of the key that it was called with.
    private func close(
        _ route: inout RouteRow, _ attempt: StoredAttempt, _ job: StoredJob, _ event: RouteEvent
    ) throws {
        let event = try CredentialSettlement(context, ledgers).close(attempt, route.key.service, event)
        let before = route.ledger.gate.state
        route.ledger.close(
            attempt.need, marks: attempt.marks, requestBytes: job.requestBytes, used: settlement.used,
            event: event, limits: settlement.limits, claimedAt: attempt.openedAt,
            callMilliseconds: settlement.callMilliseconds, now: now, using: &context.random)
        if let notice = StateNotice(route: route.key, from: before, to: route.ledger.gate) {
            context.noticed(notice)
        }
        ledgers.keep(route)
    }

    private func settleJob(
        _ job: StoredJob, _ attempt: StoredAttempt, _ resolved: ResolvedVerdict, cost: Int64
    ) throws -> SettleOutcome {
        guard job.state == .running, job.attempt == attempt.number else {
            try addToJob(job.id, counted: job.attemptsCounted, cost: cost)
            try keepAnswer(job, attempt, cost: cost, uses: 0)
            try releaseFollowers(attempt)
            return .late
        }
        let counted = job.attemptsCounted + (resolved.counted ? 1 : 0)
        switch resolved.resolution {
        case .succeeded:
            try succeed(job, attempt, counted: counted, cost: cost)
        case .ready:
            try requeue(job, counted: counted, heldUntil: nil, error: nil, cost: cost)
            try releaseFollowers(attempt)
        case .held(let until, let error):
            try requeue(job, counted: counted, heldUntil: until, error: error, cost: cost)
            if let hash = attempt.promptHash {
                try Holds.hastenFirst(hash, route: attempt.home, to: until, connection)
            }
        case .rejected(let failure):
            try addToJob(job.id, counted: counted, cost: cost)
            let answer =
                failure.step.endsTheJob ? try keepAnswer(job, attempt, cost: cost, uses: 1) : nil
            try releaseFollowers(attempt)
            let state = try Checks.follow(failure, job, settlement.answer, stored: answer, context)
            return .settled(state)
        case .failed(let error):
            try addToJob(job.id, counted: counted, cost: cost)
            let named = try FallbackStep.naming(error, in: attempt, connection)
            try JobCompletion(context).end(job.id, .failed, error: named)
            context.moved(lane: job.lane, batch: job.batch, from: .running, to: .failed)
            return .settled(.failed)
        }
        return .settled(resolved.resolution == .succeeded ? .succeeded : .queued)
    }

    private func succeed(_ job: StoredJob, _ attempt: StoredAttempt, counted: Int, cost: Int64) throws {
        guard let answer = try keepAnswer(job, attempt, cost: cost, uses: 1) else {
            preconditionFailure("a success is settled with its answer")
        }
        _ = try connection.run(
            """
            UPDATE job
            SET state = 'succeeded', answer_id = ?2, attempts_counted = ?3, cost = min(cost + ?4, 9223372036854775807), finished_at = ?5,
                finish_order = ?6, error = NULL
            WHERE id = ?1
            """,
            [
                .integer(job.id), .integer(answer), .integer(counted), .integer(cost),
                .integer(now.timestamp.milliseconds), .integer(try context.nextFinishOrder()),
            ])
        try Checks.pass(job.id, connection)
        context.moved(lane: job.lane, batch: job.batch, from: .running, to: .succeeded)
        if attempt.providerBatch == nil {
            context.answered(
                on: attempt.route, runnableAt: job.runAt, callMilliseconds: settlement.callMilliseconds)
        }
        try releaseFollowers(attempt)
    }

    /// Those that wait for this prompt find the answer at their claim; without one for others the first goes next.
    private func releaseFollowers(_ attempt: StoredAttempt) throws {
        guard let hash = attempt.promptHash else { return }
        if isShareable {
            try Holds.releaseAll(hash, route: attempt.home, connection)
        } else if settlement.answer != nil {
            // One after the other they would take as long as their calls together.
            try Holds.releaseAll(hash, route: attempt.home, skipsCoalescing: true, connection)
        } else {
            try Holds.releaseFirst(hash, route: attempt.home, connection)
        }
    }

    private func requeue(
        _ job: StoredJob, counted: Int, heldUntil: Timestamp?, error: JobError?, cost: Int64
    ) throws {
        _ = try connection.run(
            """
            UPDATE job
            SET state = 'queued', ready = ?2, held_until = ?3, attempts_counted = ?4, failures = failures + ?5,
                cost = min(cost + ?6, 9223372036854775807), error = coalesce(?7, error)
            WHERE id = ?1
            """,
            [
                .integer(job.id), .bool(heldUntil == nil), .integer(heldUntil?.milliseconds),
                .integer(counted),
                .integer(heldUntil == nil ? 0 : 1), .integer(cost), .utf8(error.map(ErrorText.write)),
            ])
        context.moved(lane: job.lane, batch: job.batch, from: .running, to: .queued)
    }

    private func addToJob(_ job: Int64, counted: Int, cost: Int64) throws {
        _ = try connection.run(
            "UPDATE job SET attempts_counted = ?2, cost = min(cost + ?3, 9223372036854775807) WHERE id = ?1",
            [.integer(job), .integer(counted), .integer(cost)])
    }

    // MARK: Too late

    /// The lease was lost and the attempt written off: what was unconfirmed is now known, and the answer is not wasted.
    private func settleLate(_ attempt: StoredAttempt, _ job: StoredJob) throws -> SettleOutcome {
        guard let route = try ledgers.route(attempt.route) else { return .repeated }
        let cost = try bookedCost(of: attempt, job, on: route)
        let unconfirmedCost = unconfirmedCost(of: attempt.unconfirmedCost, cost: cost)
        let late = ResolvedVerdict(resolution: .ready, counted: false, word: "late")
        try attempt.close(settlement, late, cost: cost, unconfirmedCost: unconfirmedCost, context)
        // The call was counted when it was written off.
        try book(
            calls: 0, cost: cost, unconfirmedCost: unconfirmedCost - attempt.unconfirmedCost, attempt, route,
            job)
        try BudgetSettlement(context).correct(attempt, cost: cost, unconfirmedCost: unconfirmedCost)
        try addToJob(job.id, counted: job.attemptsCounted, cost: cost)
        if try keepAnswer(job, attempt, cost: cost, uses: 0) != nil { try releaseFollowers(attempt) }
        return .late
    }

    // MARK: Money and answers

    /// What the call cost; no more than was reserved for it, whatever its answer counts.
    private func bookedCost(of attempt: StoredAttempt, _ job: StoredJob, on route: RouteRow) throws -> Int64 {
        guard let bill = self.bill(of: attempt, job, on: route) else { return 0 }
        if bill.isExcessive { try note(bill, attempt, route) }
        return bill.booked
    }

    private func bill(of attempt: StoredAttempt, _ job: StoredJob, on route: RouteRow) -> Bill? {
        let settings = context.settings
        return Bill(
            settlement, attempt,
            unreserved: job.maxTokens - settings.moneyTokens(of: job.maxTokens, isInteractive: true),
            on: route, settings.prices)
    }

    /// One of them a minute and route says it all.
    private func note(_ bill: Bill, _ attempt: StoredAttempt, _ route: RouteRow) throws {
        let job = JobID(attempt.job)
        try Events.recordOnce(
            .costCapped, route.key.name,
            "the answer to job \(job) counts \(bill.words), $\(bill.stated) by the prices known here; "
                + "booked is $\(Money(nanodollars: bill.booked)), the most that the call could cost",
            within: 60_000, context)
    }

    /// What is left of the worst case where nobody knows what the call cost, or where only a part of it is known.
    private func unconfirmedCost(of worstCase: Int64, cost: Int64) -> Int64 {
        settlement.unconfirmedCost ? max(0, worstCase - cost) : 0
    }

    private func book(
        calls: Int64, cost: Int64, unconfirmedCost: Int64, _ attempt: StoredAttempt, _ route: RouteRow,
        _ job: StoredJob
    ) throws {
        let usage = settlement.answer?.usage ?? settlement.usage
        let bill =
            attempt.providerBatch == nil || cost == 0
            ? nil : self.bill(of: attempt, job, on: route)
        let whole = bill?.whole ?? 0
        try context.spent(lane: job.lane, job: job.id) { spend in
            spend.calls += calls
            spend.cost += cost
            spend.unconfirmedCost += unconfirmedCost
            spend.usage.inputTokens += usage?.inputTokens ?? 0
            spend.usage.outputTokens += usage?.outputTokens ?? 0
            spend.usage.cacheWriteTokens += usage?.cacheWriteTokens ?? 0
            spend.usage.cacheReadTokens += usage?.cacheReadTokens ?? 0
            guard whole > 0 else { return }
            spend.batchCalls += 1
            spend.batchCost += cost
            spend.batchFullCost += whole
        }
        context.booked(batch: job.batch) { money in
            money.calls += calls
            money.cost += cost
            money.unconfirmedCost += unconfirmedCost
        }
    }

    /// Whether others may have the answer: what failed its check is nobody's.
    private var isShareable: Bool {
        if case .rejected = settlement.verdict { return false }
        return settlement.answer?.isCacheable == true
    }

    /// Stores the answer, under its prompt hash where others may have it; nil where there is none to store.
    @discardableResult
    private func keepAnswer(_ job: StoredJob, _ attempt: StoredAttempt, cost: Int64, uses: Int) throws
        -> Int64?
    {
        guard let answer = settlement.answer else { return nil }
        let isShared = attempt.promptHash != nil && isShareable && context.settings.sharesAnswers
        guard isShared || uses > 0 else { return nil }
        return try CachedAnswer.insert(
            answer, hash: isShared ? attempt.promptHash : nil, route: attempt.route, job: job.id, cost: cost,
            uses: uses, context)
    }
}

extension Settlement {
    /// What the call took of the route's limits.
    fileprivate var used: RouteLedger.Used {
        if let usage = answer?.usage ?? usage { return .tokens(usage) }
        if case .handedBack(sent: false) = verdict { return .nothing }
        switch routeEvent {
        case .rateLimited, .overloaded, .unauthorized, .forbidden, .spendCapped, .refused: return .requestOnly
        case .unavailable: return unconfirmedCost ? .unknown : .requestOnly
        case .succeeded, .neutral: return unconfirmedCost ? .unknown : .nothing
        }
    }
}
