package import Jobs
import StoreRules

extension PostgresJobStore {
    package func settle(_ settlement: Settlement) async throws -> SettleOutcome {
        let now = now()
        do {
            let settled = try await withCheckedThrowingContinuation { done in
                if settleBatcher.join(SettleBatcher.Entry(settlement: settlement, now: now, done: done)) {
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
        let group = SettleGroup(settleBatcher)
        submit { context in
            try context.settle(group.entries.map(\.settlement))
        } completion: { [self] result in
            let entries = group.entries
            switch result {
            case .success(let settled):
                for (entry, settled) in zip(entries, settled) { entry.done.resume(returning: settled) }
            case .failure(let error) where entries.count == 1 || JobStoreError(error).code == .unavailable:
                for entry in entries { entry.done.resume(throwing: error) }
            case .failure:
                // One that cannot be settled must not spoil its neighbours.
                for entry in entries {
                    submit { context in
                        try context.settle([entry.settlement])[0]
                    } completion: {
                        entry.done.resume(with: $0)
                    }
                }
            }
        }
    }
}

extension WriteContext {
    /// Loads for all of them, decides one after the other, and writes.
    func settle(_ settlements: [Settlement]) throws -> [SettleBatcher.Settled] {
        let loader = SettleLoader(self)
        try loader.load(settlements.map(\.key))
        let settled = try settlements.map { settlement in
            let (told, noticed) = (events.count, notices.count)
            let outcome = try settle(settlement, loader)
            return SettleBatcher.Settled(
                outcome: outcome, events: Array(events[told...]), notices: Array(notices[noticed...]))
        }
        save(loader.rowCache)
        return settled
    }

    func settle(_ settlement: Settlement, _ loader: SettleLoader) throws -> SettleOutcome {
        guard var snapshot = loader.snapshot(settlement.key) else { return .repeated }
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
