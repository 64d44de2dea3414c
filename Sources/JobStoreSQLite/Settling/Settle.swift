package import Jobs
import SQLite
import StoreRules

extension SQLiteJobStore {
    package func settle(_ settlement: Settlement) async throws -> SettleOutcome {
        let now = now()
        do {
            let settled = try await withCheckedThrowingContinuation { done in
                if settleBatcher.join(SettleEntry(settlement: settlement, now: now, done: done)) {
                    settleTogether()
                }
            }
            settings.report(settled.events, settled.notices)
            return settled.outcome
        } catch {
            throw JobStoreError(error)
        }
    }

    /// Sends one operation for those that wait by then.
    private func settleTogether() {
        let (settings, options, group) = (settings, options, OperationBatcher.Group(settleBatcher))
        writer.submit { connection in
            try Self.close(group.entries, connection, settings, options)
        } completion: { [writer] result in
            let entries = group.entries
            switch result {
            case .success(let settled):
                for (entry, settled) in zip(entries, settled) { entry.done.resume(returning: settled) }
            case .failure(let error) where entries.count == 1:
                entries[0].done.resume(throwing: error)
            case .failure:
                // One that cannot be settled must not spoil its neighbours.
                for entry in entries {
                    writer.submit { connection in
                        try Self.close([entry], connection, settings, options)[0]
                    } completion: {
                        entry.done.resume(with: $0)
                    }
                }
            }
        }
    }

    private static func close(
        _ entries: [SettleEntry], _ connection: Connection, _ settings: StoreSettings,
        _ options: SQLiteOptions
    ) throws -> [SettleResult] {
        guard let first = entries.first else { return [] }
        let context = WriteContext(connection, now: first.now, settings: settings, options: options)
        let loader = SettleLoader(context)
        var settled: [SettleResult] = []
        settled.reserveCapacity(entries.count)
        for entry in entries {
            context.now = entry.now
            let (told, noticed) = (context.events.count, context.notices.count)
            let outcome = try context.settle(entry.settlement, loader)
            settled.append(
                SettleResult(
                    outcome: outcome, events: Array(context.events[told...]),
                    notices: Array(context.notices[noticed...])))
        }
        try context.save(loader.rowCache)
        try context.flush()
        return settled
    }
}

extension WriteContext {
    /// Loads, decides, and writes all but the shared rows.
    func settle(_ settlement: Settlement, _ loader: SettleLoader) throws -> SettleOutcome {
        guard var snapshot = try loader.snapshot(settlement.key) else { return .repeated }
        try loader.complete(&snapshot, for: settlement)
        var random = AnyRandom(random)
        let (outcome, delta) = try SettleRules(settlement, snapshot, settings: settings.rules, now: now)
            .settle(&loader.rowCache, &tallies, using: &random)
        self.random = random.source
        try apply(delta)
        loader.note(delta)
        return outcome
    }
}
