import Jobs
import SQLite

/// What an attempt's end says of its queue: its place there, and the runs of identical refusals.
///
/// Such a run holds back the jobs of the same queue on the same route, and no others; nor those that somebody waits for, who
/// is told at once.
struct RefusalSettlement {
    let context: WriteContext
    let ledgers: RowCache

    init(_ context: WriteContext, _ ledgers: RowCache) {
        self.context = context
        self.ledgers = ledgers
    }

    /// `leaves` where another route is asked now: the job is not at its end.
    func close(
        _ settlement: Settlement, _ attempt: StoredAttempt, _ job: StoredJob, _ route: RouteKey, leaves: Bool
    ) throws {
        guard var queue = try ledgers.queue(attempt.queue) else { return }
        if attempt.providerBatch == nil { queue.running = max(0, queue.running - 1) }
        switch settlement.routeEvent {
        case .refused(let signature) where !leaves:
            if case .failed(let error) = settlement.verdict, try !isWaitedFor(job) {
                refuse(signature, error, attempt, &queue, route)
            }
        case .succeeded:
            if let streak = queue.streaks[attempt.route] { lift(streak, attempt, &queue, route) }
        default:
            break
        }
        ledgers.keep(queue)
    }

    private func isWaitedFor(_ job: StoredJob) throws -> Bool {
        try Lanes.standing(of: job.id, context.connection)?.place.kind == .interactive
    }

    private func refuse(
        _ signature: String, _ error: JobError, _ attempt: StoredAttempt, _ queue: inout QueueRow,
        _ route: RouteKey
    ) {
        var streak =
            queue.streaks[attempt.route] ?? RefusalStreak(signature: signature, message: error.message)
        let wasHeld = streak.isHeld
        streak.refuse(
            signature: signature, message: String(error.message.prefix(300)), claimedAt: attempt.openedAt,
            now: context.now)
        queue.streaks[attempt.route] = streak
        guard streak.isHeld, !wasHeld else { return }
        context.noticed(
            StateNotice(
                .queue, queue.name, state: "held_back",
                cause:
                    "\(streak.refusals) jobs in a row were refused alike by \(route.name) (\(signature)): \(error.message)",
                cure:
                    "renga retry --queue \(queue.name) --model \(route.model) --set model=MODEL, or renga resume queue \(queue.name)"
            ))
    }

    private func lift(
        _ streak: RefusalStreak, _ attempt: StoredAttempt, _ queue: inout QueueRow, _ route: RouteKey
    ) {
        queue.streaks[attempt.route] = nil
        guard streak.isHeld else { return }
        context.noticed(
            StateNotice(
                .queue, queue.name, state: "running",
                cause: "a job for \(route.name) succeeded: the others go on",
                isEnd: true))
    }
}
