import Jobs
import SQLite

/// The route that a call takes: its job's own, or one down its chain.
struct Flight {
    let route: Int64
    let position: Int
    /// Why it is not the job's own.
    let cause: Fallback.Cause?

    /// What is sent, in which a fallback finds its own model.
    func call(of job: Int64, for route: RouteKey, _ connection: Connection) throws -> Candidate.Call {
        var call = try Candidate.call(of: job, connection)
        guard position > 0 else { return call }
        call.request = try NextRequest.escalation(of: call.request, to: route.model)
        return call
    }
}

extension RouteRow {
    /// Asks the route's gates for a job, and the budgets for what it costs there.
    func admission(
        of job: Candidate, in queue: QueueRow, tags: [String], purse: Purse, now: Moment
    ) -> RouteLedger.Admission {
        let need = ledger.need(requestBytes: job.requestBytes, maxTokens: job.maxTokens)
        let admission = ledger.admission(of: need, in: queue.line, now: now)
        guard case .admitted = admission else { return admission }
        return purse.closure(to: Purse.Call(job, route: key, queue: queue.name, tags: tags)) ?? admission
    }
}

/// Where a job may go whose own route is closed, asked without any lock.
struct Detour {
    let connection: Connection
    let services: [ServiceKey]
    let chains: FallbackChains
    let now: Now
    let purse: Purse

    /// A job that already left its route is the claim's to place, wherever that ends.
    func isOpen(to job: Candidate, from home: RouteRow, _ queue: QueueRow, tags: [String]) throws -> Bool {
        guard !chains.isEmpty else { return false }
        if job.position > 0 { return true }
        let choice = try chains.choose(from: 0, of: home.key) { key in
            if key == home.key {
                return home.admission(of: job, in: queue, tags: tags, purse: purse, now: now.moment)
            }
            guard services.contains(key.service) else { return nil }
            // A route that nobody has used yet has no gates.
            guard var route = try RouteRow.find(key, connection) else {
                return purse.closure(to: Purse.Call(job, route: key, queue: queue.name, tags: tags))
                    ?? .admitted(asProbe: false)
            }
            route.ledger.advance(to: now.moment)
            return route.admission(of: job, in: queue, tags: tags, purse: purse, now: now.moment)
        }
        if case .fly = choice { return true }
        return false
    }
}
