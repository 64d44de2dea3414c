import Jobs

/// What one claim leaves to jobs that it may not take itself, because other processes serve their lanes.
///
/// Every claim draws by the same scheduler over all lanes, so that each gets its share though no process takes from all of
/// them. Nothing of it is stored: the process that serves those lanes takes what was left in a claim of its own.
struct ReservedShares {
    /// The order of queues with the passes of reserved jobs.
    private(set) var scheduler: FairScheduler
    private var passes: [Int64: Double] = [:]
    private var ledgers: [Int64: RouteLedger] = [:]

    init(_ scheduler: FairScheduler) {
        self.scheduler = scheduler
    }

    func pass(of queue: QueueState) -> Double {
        passes[queue.id] ?? queue.pass
    }

    /// The route with what was reserved taken from its limits.
    func state(of route: RouteState) -> RouteState {
        guard let ledger = ledgers[route.id] else { return route }
        var state = route
        state.ledger = ledger
        return state
    }

    mutating func reserve(
        for call: CallFacts, on route: RouteState, in queue: QueueState, precedence: Int, now: Moment
    ) {
        var ledger = ledgers[route.id] ?? route.ledger
        let need = ledger.need(requestBytes: call.requestBytes, maxTokens: call.maxTokens)
        _ = ledger.open(
            need,
            asProbe: ledger.admission(of: need, in: queue.line(on: route.id), now: now)
                == .admitted(asProbe: true),
            now: now)
        ledgers[route.id] = ledger
        advance(queue, precedence)
    }

    /// Notes a job that was really taken.
    mutating func take(
        _ need: RouteLedger.Need, on route: Int64, in queue: QueueState, precedence: Int, now: Moment
    ) {
        _ = ledgers[route]?.open(need, asProbe: false, now: now)
        advance(queue, precedence)
    }

    private mutating func advance(_ queue: QueueState, _ precedence: Int) {
        passes[queue.id] = scheduler.take(
            at: passes[queue.id] ?? queue.pass, weight: queue.weight * precedence)
    }
}
