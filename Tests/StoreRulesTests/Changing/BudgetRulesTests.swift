import Jobs
import StoreRules
import TestSupport
import Testing

@Suite struct BudgetRulesTests {
    private let now = ChangeFixture.now
    private let day = Budget(name: "b", window: .day, limit: Money(nanodollars: 1_000))

    private func decide(_ budget: Budget, known: StoredBudget?) -> Delta {
        var delta = Delta()
        delta.state(budget, by: nil, known: known, at: now.timestamp) {
            CarriedSpending(attempts: [], settled: .zero)
        }
        return delta
    }

    @Test func `only the same jobs in the same window are the same budget`() {
        func stored(_ budget: Budget, isInForce: Bool = true) -> StoredBudget {
            StoredBudget(id: 3, budget: budget, isInForce: isInForce, statedBy: nil)
        }
        #expect(ChangeFixture.names(decide(day, known: nil)) == ["budget begin"])
        #expect(ChangeFixture.names(decide(day, known: stored(day))) == ["budget change"])
        var other = day
        other.limit = Money(nanodollars: 5)
        #expect(ChangeFixture.names(decide(day, known: stored(other))) == ["budget change"])
        other.window = .month
        #expect(ChangeFixture.names(decide(day, known: stored(other))) == ["budget retire", "budget begin"])
        let gone = stored(day, isInForce: false)
        #expect(ChangeFixture.names(decide(day, known: gone)) == ["budget retire", "budget begin"])
    }

    @Test func `another amount has its shares announced anew`() {
        for limit in [1_000, 2_000] as [Int64] {
            var stated = day
            stated.limit = Money(nanodollars: limit)
            let known = StoredBudget(id: 3, budget: day, isInForce: true, statedBy: nil)
            guard
                case .budget(.change(_, _, _, let announcesAnew))? = decide(stated, known: known).changes
                    .first
            else {
                Issue.record("the budget was not changed")
                return
            }
            #expect(announcesAnew == (limit == 2_000))
        }
    }

    @Test func `a budget that is not in force cannot be removed`() {
        var delta = Delta()
        let removed = [
            delta.remove(nil),
            delta.remove(StoredBudget(id: 3, budget: day, isInForce: false, statedBy: nil)),
            delta.remove(StoredBudget(id: 3, budget: day, isInForce: true, statedBy: nil)),
        ]
        #expect(removed == [false, false, true])
        #expect(ChangeFixture.names(delta) == ["budget remove"])
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `a new window counts all that was spent, whatever the sums`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        func money() -> Money {
            let most: Int64 = Int.random(in: 0..<4, using: &random) == 0 ? .max : 1_000
            return Money(nanodollars: Int64.random(in: 0...most, using: &random))
        }
        for _ in 0..<100 {
            let attempts = (0..<Int.random(in: 0..<4, using: &random)).map { number in
                CarriedAttempt(
                    key: AttemptKey(job: JobID(1), number: number), reserved: money(), cost: money(),
                    unconfirmedCost: money())
            }
            let carried = CarriedSpending(attempts: attempts, settled: money())
            let opening = carried.opening(of: day, at: now.timestamp)
            #expect(opening.settled >= carried.settled)
            #expect(opening.spentBefore >= .zero && opening.excess >= .zero)
            #expect(attempts.allSatisfy { $0.cost <= opening.settled && $0.reserved <= opening.reserved })
            let spent = opening.settled + opening.reserved + opening.unconfirmedCost
            #expect(spent <= day.limit ? opening.excess == .zero : opening.excess == spent - day.limit)
            #expect(opening.attempts == attempts.map(\.key))
        }
    }

    @Test func `unconfirmed money is cleared in each budget that covered its call`() {
        var rowCache = RowCache()
        for id in [1, 2] as [Int64] {
            var ledger = BudgetLedger(budget: day)
            // The first has some of an attempt that is gone.
            ledger.unconfirmedCost = Money(nanodollars: id == 1 ? 500 : 400)
            rowCache.load(BudgetWindow(id: id, ledger: ledger, isInForce: true, exhaustionLogged: false))
        }
        var attempt = UnconfirmedAttempt(
            key: AttemptKey(job: JobID(100), number: 1), unconfirmedCost: Money(nanodollars: 300),
            windows: [1, 2], lane: 50, batch: 4)
        attempt.tags = ["a"]
        var delta = Delta()
        delta.clearUnconfirmed(in: 1, [attempt], in: &rowCache, now: now)
        #expect(rowCache.windows[1]?.ledger.unconfirmedCost == .zero)
        #expect(rowCache.windows[2]?.ledger.unconfirmedCost == Money(nanodollars: 100))
        #expect(ChangeFixture.names(delta) == ["clearUnconfirmed"])
        #expect(delta.tallies.spends.values.map(\.unconfirmedCost) == [-300])
        #expect(delta.tallies.tagSpends.values.map(\.unconfirmedCost) == [-300])
        #expect(delta.tallies.batchMoney[4]?.unconfirmedCost == -300)
        #expect(delta.events.map(\.subject) == ["b"])
    }
}
