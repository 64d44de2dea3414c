package import Jobs

/// What a retry does to a job.
package enum RetryKind: Hashable, Sendable {
    /// A job that is still queued gets the change alone: it keeps its place and its time.
    case update
    /// A failed or cancelled job gets a fresh count, as one that may run from now on; its history stays.
    case reopen

    /// Jobs in another state refuse every such retry.
    package static func states(_ change: RetryChange) -> [JobState] {
        [.failed, .cancelled] + (change.isEmpty ? [] : [.queued])
    }

    /// Nil if the retry is refused.
    package init?(
        _ job: JobRecord, _ change: RetryChange, isPublished: @autoclosure () throws -> Bool
    ) rethrows {
        switch job.state {
        case .queued where !change.isEmpty: self = .update
        case .failed, .cancelled:
            // Published results are read again, and must not change.
            guard try !isPublished() else { return nil }
            self = .reopen
        default: return nil
        }
    }
}

/// What a retry must know.
package struct RetrySnapshot: Sendable {
    package let job: JobRecord
    package let laneBudget: LaneBudget
    /// What is sent for the job; needed with a change, or if its check has sent another request.
    package var sent: SentRequest?
    /// Where the job's check begins again; nil without one.
    package var check: CheckStart?
    /// The route that the change names.
    package var route: Int64?
    /// The services of the job's route and of those that it may move to.
    package var services: [Int64: ServiceKey] = [:]

    package init(job: JobRecord, laneBudget: LaneBudget) {
        self.job = job
        self.laneBudget = laneBudget
    }

    package struct CheckStart: Sendable {
        package let route: Int64
        /// Whether another request is sent than the job's own.
        package let hasMoved: Bool

        package init(route: Int64, hasMoved: Bool) {
            self.route = route
            self.hasMoved = hasMoved
        }
    }
}

/// What a retry changes of one job.
package struct RetryRules {
    private let snapshot: RetrySnapshot
    private let change: RetryChange
    private var place: LanePlace
    private var sent: SentRequest?
    private var delta = Delta()
    private var left: LanePlace?
    private var job: JobRecord { snapshot.job }

    package init(_ snapshot: RetrySnapshot, _ change: RetryChange) {
        self.snapshot = snapshot
        self.change = change
        place = snapshot.job.place
        sent = snapshot.sent
    }

    /// `left` is where the job stood before it took another route.
    package consuming func decide(_ kind: RetryKind) throws -> (delta: Delta, left: LanePlace?) {
        switch kind {
        case .update:
            try update()
            freeFollowers()
        case .reopen:
            try reopen()
            if !change.isEmpty { try update() } else { move() }
        }
        return (delta, left)
    }

    // MARK: Reopening

    private mutating func reopen() throws {
        if let place = job.finishOrder { delta.add(.leaveFinishOrder(place)) }
        delta.add(.update(job: job.id, .reopen))
        delta.tallies.moved(lane: job.lane, batch: job.batch, from: job.state, to: .queued)
        if let answer = job.answer { delta.add(.decrementUses(answer: answer)) }
        if let check = snapshot.check { try beginAgain(check) }
        // No client waits for it in a process, and its batch has ended.
        relocate { place in
            place.leaveInteractiveLane()
            place.batch = nil
        }
    }

    /// A retried job begins with its own request on its own route, and with all its steps.
    private mutating func beginAgain(_ check: RetrySnapshot.CheckStart) throws {
        delta.add(.update(job: job.id, .resetCheck))
        guard check.hasMoved else { return }
        // Not to the first lane itself: the job's tags may have other budgets by now.
        relocate(to: check.route)
        if let change = try sent?.beginAgain() { delta.add(change) }
    }

    // MARK: Updating

    /// Another model or limit: another request, another prompt hash, perhaps another lane.
    private mutating func update() throws {
        guard let changed = try sent?.change({ request in try change.applied(to: request) }) else {
            return move()
        }
        delta.add(changed)
        if let route = snapshot.route { leave(for: route) }
        move()
        if snapshot.route != nil {
            delta.add(.update(job: job.id, .requestedModel(change.storedModel)))
            // A retry begins on the route that was asked for last.
            delta.add(.update(job: job.id, .beginCheckHere))
        } else {
            // It is another request now, on the same route.
            delta.add(.liftStreaks(queue: place.queue, route: place.route))
        }
        if let maxTokens = change.maxTokens { delta.add(.update(job: job.id, .maxTokens(maxTokens))) }
        // A job that waited for an answer to the old prompt looks for one to the new.
        delta.add(.update(job: job.id, .stopAwaiting))
    }

    private mutating func leave(for route: Int64) {
        let old = place
        relocate(to: route)
        if place != old { left = old }
    }

    /// Others may have waited for the call that this job was to make; it is again at the head of its own chain.
    private mutating func freeFollowers() {
        delta.add(.update(job: job.id, .restartChain))
        delta.add(.release(Release(.first, job.promptHash, route: job.place.route)))
        guard let prefix = job.prefix else { return }
        delta.add(.release(Release(.first, prefix.hash, route: job.place.route)))
    }

    // MARK: Lanes

    private mutating func relocate(to route: Int64) {
        let isSame = snapshot.services[place.route] == snapshot.services[route]
        relocate { $0.move(to: route, ofTheSameService: isSame) }
    }

    private mutating func relocate(_ change: (inout LanePlace) -> Void) {
        place.budget = snapshot.laneBudget.name(of: job.tags)
        change(&place)
    }

    private mutating func move() {
        guard place != job.place else { return }
        delta.add(.move(JobMove(job: job.id, from: job.lane, state: .queued, place: place)))
    }
}
