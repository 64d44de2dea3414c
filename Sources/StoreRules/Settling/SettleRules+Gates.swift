import Jobs

// What an attempt's end says of the key that it was called with, and of its queue.
extension SettleRules {
    /// What is left for the route: a refused key concerns only the workers that have it, if they said which.
    mutating func closeCredential(
        _ event: RouteEvent, using random: inout some RandomNumberGenerator
    ) -> RouteEvent {
        guard let found = snapshot.credential else { return event }
        var key = found.state
        let before = key.gate
        key.gate.apply(event.onKey, claimedAt: attempt.openedAt, now: now, using: &random)
        let rest = event == .unauthorized ? .neutral : event
        guard key.gate != before else { return rest }
        delta.add(.credential(key))
        if key.gate.state != before.state { notice(key, found.workers) }
        return rest
    }

    private mutating func notice(_ key: CredentialState, _ workers: [String]) {
        let isOpen = key.gate.state == .open
        delta.notice(
            StateNotice(
                .credential, "\(key.service.provider) \(key.service.credential)",
                state: isOpen ? "accepted" : "refused",
                cause: isOpen
                    ? "the provider accepts the key again"
                    : "the provider refuses the key (401) of \(workers.joined(separator: ", "))",
                cure: isOpen ? "" : "correct \(key.service.credential) and restart these workers",
                isEnd: isOpen))
    }

    /// Its place in its queue, and the runs of identical refusals.
    ///
    /// Such a run holds back the jobs of the same queue on the same route, and no others; nor those that a caller waits for, who
    /// hears of it at once. `leaves` if another route is asked now: the job is not at its end.
    mutating func closeQueue(_ rowCache: inout RowCache, _ route: RouteKey, leaves: Bool) {
        guard var queue = rowCache.queues[attempt.queue] else { return }
        if attempt.providerBatch == nil { queue.running = max(0, queue.running - 1) }
        switch settlement.routeEvent {
        case .refused(let signature) where !leaves:
            if case .failed(let error) = settlement.verdict, job.place.kind != .interactive {
                refuse(signature, error, &queue, route)
            }
        case .succeeded:
            if let streak = queue.streaks[attempt.route] { lift(streak, &queue, route) }
        default:
            break
        }
        rowCache.keep(queue)
    }

    private mutating func refuse(
        _ signature: String, _ error: JobError, _ queue: inout QueueState, _ route: RouteKey
    ) {
        var streak =
            queue.streaks[attempt.route] ?? RefusalStreak(signature: signature, message: error.message)
        let wasHeld = streak.isHeld
        streak.refuse(
            signature: signature, message: String(error.message.prefix(300)), claimedAt: attempt.openedAt,
            now: now)
        queue.streaks[attempt.route] = streak
        guard streak.isHeld, !wasHeld else { return }
        delta.notice(
            StateNotice(
                .queue, queue.name, state: "held_back",
                cause:
                    "\(streak.refusals) jobs in a row were refused alike by \(route.name) (\(signature)): \(error.message)",
                cure:
                    "renga retry --queue \(queue.name) --model \(route.model) --set model=MODEL, or renga resume queue \(queue.name)"
            ))
    }

    private mutating func lift(_ streak: RefusalStreak, _ queue: inout QueueState, _ route: RouteKey) {
        queue.streaks[attempt.route] = nil
        guard streak.isHeld else { return }
        delta.notice(
            StateNotice(
                .queue, queue.name, state: "running",
                cause: "a job for \(route.name) succeeded: the others go on", isEnd: true))
    }
}

extension RouteEvent {
    /// What it says of the key: whatever is answered but 401 was asked with a key that is accepted.
    fileprivate var onKey: RouteEvent {
        switch self {
        case .unauthorized: .unauthorized
        case .unavailable, .neutral: .neutral
        case .succeeded, .rateLimited, .overloaded, .forbidden, .spendCapped, .refused: .succeeded
        }
    }
}
