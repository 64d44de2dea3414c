import Jobs
import SQLite

/// The route that a call takes: its job's own, or one down its chain.
struct RouteChoice {
    let route: Int64
    let position: Int
    /// Why it is not the job's own.
    let cause: Fallback.Cause?

    /// The request as it goes out: a fallback finds its own model in it.
    func request(_ sent: SentRequest, for route: RouteKey) throws -> [UInt8] {
        position > 0 ? try NextRequest.escalation(of: sent.bytes, to: route.model) : sent.bytes
    }
}

extension RouteRow {
    /// Asks the route's gates for a job, and the budgets for what it costs there.
    func admission(
        of job: Candidate, in queue: QueueRow, tags: [String], book: BudgetBook, now: Moment
    ) -> RouteLedger.Admission {
        if let closure = queue.closure(on: self, now: now) { return closure }
        let need = ledger.need(requestBytes: job.requestBytes, maxTokens: job.maxTokens)
        let admission = ledger.admission(of: need, in: queue.line(on: id), now: now)
        guard case .admitted = admission else { return admission }
        return book.closure(to: BudgetBook.Call(job, route: key, queue: queue.name, tags: tags)) ?? admission
    }
}

/// Where a job may go whose own route is closed, asked without any lock.
struct FallbackProbe {
    let connection: Connection
    let services: [ServiceKey]
    let chains: FallbackChains
    let now: Now
    let book: BudgetBook

    /// A job that already left its route is the claim's to place, wherever that ends.
    func isOpen(to job: Candidate, from home: RouteRow, _ queue: QueueRow, tags: [String]) throws -> Bool {
        guard !chains.isEmpty else { return false }
        if job.position > 0 { return true }
        let choice = try chains.choose(from: 0, of: home.key) { key in
            if key == home.key {
                return home.admission(of: job, in: queue, tags: tags, book: book, now: now.moment)
            }
            guard services.contains(key.service) else { return nil }
            // A route that nobody has used yet has no gates.
            guard var route = try RouteRow.find(key, connection) else {
                return book.closure(to: BudgetBook.Call(job, route: key, queue: queue.name, tags: tags))
                    ?? .admitted(asProbe: false)
            }
            route.ledger.advance(to: now.moment)
            return route.admission(of: job, in: queue, tags: tags, book: book, now: now.moment)
        }
        if case .fly = choice { return true }
        return false
    }
}
