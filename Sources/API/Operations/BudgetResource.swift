import HTTPServer
import JSON
import Jobs

/// `/v1/budgets` and `/v1/events`.
extension API {
    func listBudgets(_ call: Call) async throws -> Response {
        _ = try Parameters(call.head, known: [])
        let budgets = try await store.budgets()
        return .json { $0.page(budgets) { $0.budget($1) } }
    }

    /// For a person who knows what became of the calls whose answers never came.
    func clearUnconfirmed(_ call: Call) async throws -> Response {
        _ = try Parameters(call.head, known: [])
        let name = call.parameters[0]
        guard let budget = try await store.clearUnconfirmed(budget: name) else {
            throw Problem.unknownBudget(name)
        }
        return .json { $0.budget(budget) }
    }

    /// States a budget, or changes one; what its window has spent already counts.
    func setBudget(_ call: Call) async throws -> Response {
        _ = try Parameters(call.head, known: [])
        let budget = try Budget(named: call.parameters[0], JSON.body(call.bytes, limits: settings.limits))
        let status = try await store.set(budget)
        return .json { $0.budget(status) }
    }

    func removeBudget(_ call: Call) async throws -> Response {
        _ = try Parameters(call.head, known: [])
        let name = call.parameters[0]
        guard try await store.remove(budget: name) else { throw Problem.unknownBudget(name) }
        return .json { $0.object { $0.field("removed", name) } }
    }

    func listEvents(_ call: Call) async throws -> Response {
        let parameters = try Parameters(call.head, known: ["limit", "cursor"])
        let limit = try parameters.pageLimit(settings.limits)
        let cursor = try parameters["cursor"].map { text in
            guard let id = Int64(text), id > 0 else {
                throw parameters.refuse("cursor", "what an answer's “next_cursor” said")
            }
            return id
        }
        let events = try await store.events(before: cursor, limit: limit + 1)
        let page = Array(events.prefix(limit))
        let next = events.count > limit ? page.last.map { String($0.id) } : nil
        return .json { $0.page(page, next: next) { $0.event($1) } }
    }
}

extension Problem {
    fileprivate static func unknownBudget(_ name: String) -> Problem {
        Problem(.unknownBudget, "there is no budget “\(name.prefix(200))” in force; /v1/budgets lists them")
    }
}

extension JSONWriter {
    mutating func budget(_ status: BudgetStatus) {
        let (ledger, budget) = (status.ledger, status.ledger.budget)
        object { writer in
            writer.field("name", budget.name)
            switch budget.scope {
            case .all: writer.field("scope", "all")
            case .queue(let queue):
                writer.field("scope", "queue")
                writer.field("queue", queue)
            case .tag(let tag):
                writer.field("scope", "tag")
                writer.field("tag", tag)
            }
            writer.field("window", budget.window.rawValue)
            writer.time("starts_at", budget.window == .total ? nil : status.startsAt)
            writer.time("ends_at", status.endsAt)
            writer.money("limit_usd", budget.limit)
            writer.money("settled_usd", ledger.settled)
            writer.money("reserved_usd", ledger.reserved)
            writer.money("unconfirmed_cost_usd", ledger.unconfirmedCost)
            writer.money("free_usd", ledger.free)
            writer.key("alerts")
            writer.array { writer in for percent in budget.alerts { writer.int(percent) } }
            writer.field("alerted", ledger.alerted)
            writer.field("stated_by", status.statedBy)
        }
    }

    mutating func event(_ event: StoredEvent) {
        object { writer in
            writer.field("id", String(event.id))
            writer.time("at", event.at)
            writer.field("kind", event.kind.rawValue)
            writer.field("subject", event.subject)
            writer.field("message", event.message)
            writer.field("percent", event.percent)
        }
    }

    mutating func share(_ share: SpendShare, axis: SpendAxis) {
        object { writer in
            writer.field(axis.rawValue, share.name)
            writer.field("calls", share.calls)
            writer.money("cost_usd", share.cost)
            writer.money("unconfirmed_cost_usd", share.unconfirmedCost)
            writer.field("cache_hits", share.cacheHits)
            writer.money("saved_usd", share.saved)
            writer.field("shared_hits", share.sharedHits)
            writer.money("shared_saved_usd", share.sharedSaved)
            writer.field("batch_calls", share.batchCalls)
            writer.money("batch_cost_usd", share.batchCost)
            writer.money("batch_whole_price_usd", share.batchFullCost)
        }
    }
}
