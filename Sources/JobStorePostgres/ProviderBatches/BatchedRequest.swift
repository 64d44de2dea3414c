import Jobs
import Postgres
import StoreRules

/// Attempts that come back from a provider batch without an answer; their jobs go to the ordinary line.
struct BatchedRow {
    private let context: WriteContext

    init(_ context: WriteContext) {
        self.context = context
    }

    /// Nothing came of them; `unconfirmedCost` if the provider may have billed them all the same.
    func close(_ keys: [AttemptKey], unconfirmedCost: Bool) throws {
        guard !keys.isEmpty else { return }
        let loader = SettleLoader(context)
        try loader.load(keys)
        var closings: [SharedClosing] = []
        for key in keys {
            let settlement = Settlement(
                key: key, verdict: .handedBack(sent: unconfirmedCost), routeEvent: .neutral,
                unconfirmedCost: unconfirmedCost)
            if let closing = try context.settle(settlement, loader).closing { closings.append(closing) }
        }
        try context.apply(closings)
        try HalfPriceLanes.leave(keys.map(\.job.value), context)
    }

    /// Their jobs cannot wait any longer for what the provider will say.
    func writeOff(_ keys: [AttemptKey]) throws {
        guard !keys.isEmpty else { return }
        let loader = SettleLoader(context)
        try loader.load(keys, withSharedRows: true)
        let laneBudget = try LaneBudget.load(context.access)
        for key in keys {
            guard let snapshot = loader.snapshot(key), snapshot.attempt.status == .open else { continue }
            try context.apply { delta in
                delta.recall(snapshot, in: &loader.rowCache, laneBudget: laneBudget, now: context.now)
            }
        }
        context.save(loader.rowCache)
    }
}
