package import Jobs

/// Whether something could be claimed, without any lock: an idle claim never takes the write lock.
package struct WorkCheck<Reads: ClaimReads> {
    let reads: Reads
    let request: ClaimRequest
    let settings: RuleSettings
    let now: Now
    let book: BudgetBook
    let refusedKeys: [ServiceKey: CredentialState]

    package init(
        _ snapshot: ClaimSnapshot, _ reads: Reads, request: ClaimRequest, settings: RuleSettings, now: Now
    ) {
        self.reads = reads
        self.request = request
        self.settings = settings
        self.now = now
        book = snapshot.book
        refusedKeys = snapshot.refusedKeys
    }

    package func finding() throws -> WorkFinding {
        var finding = WorkFinding(hasWork: false)
        for lane in try reads.readyLanes() where lane.isOpen(to: request) {
            switch try passage(of: lane) {
            // The claim looks at the other lanes anyway.
            case .open: return WorkFinding(hasWork: true)
            case .closed(let after?): finding.wake(after: after)
            case .closed(nil): break
            }
        }
        return finding
    }

    private enum Passage {
        case open
        case closed(Milliseconds?)
    }

    /// Whether the lane's gates let its first job through.
    ///
    /// A job with a cached answer needs no gate, but is found only by asking for each one's hash: jobs of a lane that stays
    /// closed wait for it to open.
    private func passage(of lane: ReadyLane) throws -> Passage {
        guard let queue = try reads.queue(lane.queue), !queue.paused,
            var home = try reads.route(lane.route), request.services.contains(home.key.service),
            let first = try first(of: lane)
        else { return .closed(nil) }
        if first.cache == .use, settings.sharesAnswers,
            try reads.cachedAnswer(first.promptHash, route: lane.route) != nil
        {
            return .open
        }
        let gates = Gates(
            queue: queue, tags: lane.tags, isInteractive: lane.isInteractive, book: book, now: now)
        if gates.concurrency != nil { return .closed(nil) }
        if home.ledger.isOfAnotherBoot(at: now.moment) { return .open }
        home.ledger.advance(to: now.moment)
        // A job that can never be paid for is the claim's to fail.
        let refusal = try book.refusal(
            of: first, from: home.key, settings.fallbacks, queue: queue.name, tags: lane.tags,
            spent: { try reads.spent(on: first.id) })
        if refusal != nil { return .open }
        // A job that already left its route is the claim's to place, wherever that ends.
        if first.position > 0, !settings.fallbacks.isEmpty { return .open }
        return try passage(of: first, from: home, gates)
    }

    private func first(of lane: ReadyLane) throws -> Candidate? {
        let head = try reads.heads(of: lane.id, behind: nil, limit: 1).first
        guard var first = try head ?? reads.loners(of: lane.id, limit: 1).first else { return nil }
        first.call.moneyTokens = settings.moneyTokens(
            of: first.call.maxTokens, isInteractive: lane.isInteractive)
        return first
    }

    /// Down the chain, as the claim will go.
    private func passage(of job: Candidate, from home: RouteState, _ gates: Gates) throws -> Passage {
        let choice = try settings.fallbacks.choose(from: 0, of: home.key) { key in
            let refused = refusedKeys[key.service]
            if key == home.key { return gates.admission(of: job.call, on: home, key: refused) }
            guard request.services.contains(key.service) else { return nil }
            // A route that no job has used yet has no gates.
            guard var route = try reads.route(key) else {
                return gates.budget(job.call, on: key) ?? .admitted(asProbe: false)
            }
            route.ledger.advance(to: now.moment)
            return gates.admission(of: job.call, on: route, key: refused)
        }
        switch choice {
        case .fly: return .open
        case .wait(_, _, let after): return .closed(after)
        }
    }
}

/// What a check for work found.
package struct WorkFinding: Sendable {
    package var hasWork: Bool
    package var wakeAfter: Milliseconds?

    package init(hasWork: Bool, wakeAfter: Milliseconds? = nil) {
        self.hasWork = hasWork
        self.wakeAfter = wakeAfter
    }

    package mutating func wake(after delay: Milliseconds) {
        wakeAfter = min(wakeAfter ?? .max, delay)
    }
}
