import Jobs
import StoreRules

// Every cent is some attempt's, and leaves it once.
extension MemoryWorld {
    func auditMoney() -> [String] {
        var found: [String] = []
        var sums = windows.map { _ in BudgetLedger.Change() }
        var (cost, unconfirmed) = (Int64(0), Int64(0))
        for job in jobs {
            for attempt in job.attempts {
                cost += attempt.cost
                unconfirmed += attempt.unconfirmedCost
                let held = attempt.status == .open ? attempt.reservedCost : 0
                for window in attempt.windows {
                    sums[Int(window - 1)].add(held, attempt.cost, attempt.unconfirmedCost)
                }
                if attempt.reservedCost > 0, attempt.cost + attempt.unconfirmedCost > attempt.reservedCost {
                    found.append("an attempt costs no more than was reserved for it: \(job.id & 0xFFFFF)")
                }
            }
        }
        for news in news {
            for window in news.untoldWindows {
                let change = news.money
                sums[Int(window - 1)].add(
                    -change.reserved.nanodollars, -change.settled.nanodollars,
                    -change.unconfirmedCost.nanodollars)
            }
        }
        for (place, row) in windows.enumerated() { found += audit(row, sums[place], place + 1) }
        let spent = tallies.spends.values.reduce(into: (cost: Int64(0), unconfirmed: Int64(0))) {
            sum, spend in
            sum.cost += spend.cost
            sum.unconfirmed += spend.unconfirmedCost
        }
        if spent.cost != cost || spent.unconfirmed != unconfirmed {
            found.append("what was spent is what the attempts cost: \(spent) and \(cost), \(unconfirmed)")
        }
        return found
    }

    private func audit(_ row: WindowRow, _ sum: BudgetLedger.Change, _ id: Int) -> [String] {
        var found: [String] = []
        if row.reserved != sum.reserved.nanodollars {
            found.append(
                "what a budget's window reserves is what its open attempts reserve: \(id): \(row.reserved), \(sum.reserved.nanodollars)"
            )
        }
        if row.settled != sum.settled.nanodollars || row.unconfirmedCost != sum.unconfirmedCost.nanodollars {
            found.append(
                "what a budget's window spent is what its attempts cost: \(id): \(row.settled) \(row.unconfirmedCost), \(sum.settled.nanodollars) \(sum.unconfirmedCost.nanodollars)"
            )
        }
        let limit = budgets[Int(row.budget - 1)].budget.limit.nanodollars
        if row.settled + row.reserved + row.unconfirmedCost > limit {
            found.append("a budget's window never passes its limit: \(id)")
        }
        return found
    }
}

extension BudgetLedger.Change {
    fileprivate mutating func add(_ reserved: Int64, _ settled: Int64, _ unconfirmed: Int64) {
        self.reserved = self.reserved + Money(nanodollars: reserved)
        self.settled = self.settled + Money(nanodollars: settled)
        unconfirmedCost = unconfirmedCost + Money(nanodollars: unconfirmed)
    }
}
