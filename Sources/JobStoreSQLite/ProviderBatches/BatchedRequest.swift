import Jobs
import SQLite
import StoreRules

/// Attempts that come back from a provider batch without an answer; their jobs go to the ordinary line.
struct BatchedRow {
    let context: WriteContext

    init(_ context: WriteContext) {
        self.context = context
    }

    /// Nothing came of it; `unconfirmedCost` if the provider may have billed it all the same.
    func close(_ key: AttemptKey, unconfirmedCost: Bool) throws {
        let settlement = Settlement(
            key: key, verdict: .handedBack(sent: unconfirmedCost), routeEvent: .neutral,
            unconfirmedCost: unconfirmedCost)
        let loader = SettleLoader(context)
        _ = try context.settle(settlement, loader)
        try context.save(loader.rowCache)
        try HalfPriceLanes.leave(key.job.value, context)
    }

    /// Its job cannot wait any longer for what the provider will say.
    func writeOff(_ key: AttemptKey) throws {
        let loader = SettleLoader(context)
        guard let snapshot = try loader.snapshot(key), snapshot.attempt.status == .open else { return }
        let laneBudget = try LaneBudget.load(context.connection)
        try context.apply { delta in
            delta.recall(snapshot, in: &loader.rowCache, laneBudget: laneBudget, now: context.now)
        }
        try context.save(loader.rowCache)
    }
}
