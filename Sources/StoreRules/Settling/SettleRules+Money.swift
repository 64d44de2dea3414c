import Jobs

extension SettleRules {
    /// What the call cost; no more than was reserved for it, whatever its answer counts.
    mutating func bookedCost(on route: RouteState) -> Int64 {
        guard let bill = bill(on: route) else { return 0 }
        if bill.isExcessive { note(bill, route) }
        return bill.booked
    }

    private func bill(on route: RouteState) -> Bill? {
        Bill(
            settlement, attempt,
            unreserved: job.maxTokens - settings.moneyTokens(of: job.maxTokens, isInteractive: true),
            on: route, settings.prices)
    }

    /// One of them a minute and route says it all.
    private mutating func note(_ bill: Bill, _ route: RouteState) {
        delta.record(
            NewEvent(
                .costCapped, route.key.name,
                "the answer to job \(JobID(job.id)) counts \(bill.description), $\(bill.stated) by the prices known here; "
                    + "booked is $\(Money(nanodollars: bill.booked)), the most that the call could cost",
                onceWithin: 60_000))
    }

    /// What is left of the worst case if it is not known, or only in part, what the call cost.
    func unconfirmedCost(of worstCase: Int64, cost: Int64) -> Int64 {
        settlement.unconfirmedCost ? max(0, worstCase - cost) : 0
    }

    mutating func book(calls: Int64, cost: Int64, unconfirmedCost: Int64, _ route: RouteState) {
        let usage = settlement.answer?.usage ?? settlement.usage
        let whole = attempt.providerBatch == nil || cost == 0 ? 0 : bill(on: route)?.whole ?? 0
        delta.tallies.spent(lane: job.lane, tags: job.tags, at: now.timestamp) { spend in
            spend.calls += calls
            spend.cost += cost
            spend.unconfirmedCost += unconfirmedCost
            spend.usage.inputTokens += usage?.inputTokens ?? 0
            spend.usage.outputTokens += usage?.outputTokens ?? 0
            spend.usage.cacheWriteTokens += usage?.cacheWriteTokens ?? 0
            spend.usage.cacheReadTokens += usage?.cacheReadTokens ?? 0
            guard whole > 0 else { return }
            spend.batchCalls += 1
            spend.batchCost += cost
            spend.batchFullCost += whole
        }
        delta.tallies.booked(batch: job.batch) { money in
            money.calls += calls
            money.cost += cost
            money.unconfirmedCost += unconfirmedCost
        }
    }
}
