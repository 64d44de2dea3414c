import Jobs

/// What one claim leaves to jobs that it may not take itself, because other processes serve their lines.
///
/// Every claim draws by the same turns over all lines, so that each gets its share though no process takes from all of
/// them. Nothing of it is stored: whoever serves those lines takes what was left in a claim of its own.
struct ReservedShares {
    /// The order of turns with those of promised jobs.
    private(set) var scheduler: FairScheduler
    private var places: [Int64: Double] = [:]
    private var ledgers: [Int64: RouteLedger] = [:]

    init(_ scheduler: FairScheduler = FairScheduler()) {
        self.scheduler = scheduler
    }

    func turn(of queue: Int64, _ queues: [Int64: QueueRow]) -> Double {
        places[queue] ?? queues[queue]?.turn ?? 0
    }

    /// The route with what was promised taken from its limits.
    func row(of route: RouteRow) -> RouteRow {
        guard let ledger = ledgers[route.id] else { return route }
        var row = route
        row.ledger = ledger
        return row
    }

    mutating func make(
        to job: Candidate, on route: RouteRow, in queue: QueueRow, precedence: Int, now: Moment
    ) {
        var ledger = ledgers[route.id] ?? route.ledger
        let need = ledger.need(requestBytes: job.requestBytes, maxTokens: job.maxTokens)
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
        _ need: RouteLedger.Need, on route: Int64, in queue: QueueRow, precedence: Int, now: Moment
    ) {
        _ = ledgers[route]?.open(need, asProbe: false, now: now)
        advance(queue, precedence)
    }

    private mutating func advance(_ queue: QueueRow, _ precedence: Int) {
        places[queue.id] = scheduler.take(
            at: places[queue.id] ?? queue.turn, weight: queue.weight * precedence)
    }
}
