package import Jobs
import StoreRules

extension PostgresJobStore {
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
        let group = OperationBatcher.Group(settleBatcher)
        submit(.beside, needing: .finishes) {
            SettleLoader.calls(group.entries.map(\.settlement.key))
        } _: { context in
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
                    submit(.beside, needing: .finishes) { context in
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
    func settle(_ settlements: [Settlement]) throws -> [SettleResult] {
        let loader = SettleLoader(self)
        try loader.load(settlements.map(\.key))
        var closings: [SharedClosing] = []
        let settled = try settlements.map { settlement in
            let (told, noticed) = (events.count, notices.count)
            let (outcome, closing) = try settle(settlement, loader)
            if let closing { closings.append(closing) }
            return SettleResult(
                outcome: outcome, events: Array(events[told...]), notices: Array(notices[noticed...]))
        }
        note(closings)
        return settled
    }

    /// All but what it says to shared rows.
    func settle(
        _ settlement: Settlement, _ loader: SettleLoader
    ) throws -> (outcome: SettleOutcome, closing: SharedClosing?) {
        guard var snapshot = loader.snapshot(settlement.key) else { return (.repeated, nil) }
        try loader.complete(&snapshot, for: settlement)
        let (outcome, decided, closing) = try SettleRules(
            settlement, snapshot, settings: settings.rules, now: now
        ).decide(on: loader.route(of: snapshot.attempt), &tallies)
        var (delta, rest) = (decided, closing)
        rest?.takeReleases(from: &delta)
        try apply(delta)
        if let rest { loader.note(rest) }
        return (outcome, rest)
    }
}
