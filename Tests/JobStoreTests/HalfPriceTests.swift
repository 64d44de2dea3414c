import Jobs
import Testing

/// Jobs that go with the provider's own batches, at half the price.
@Suite struct HalfPriceTests {
    private static let hour: Milliseconds = 3_600_000

    @Test(arguments: Backend.allCases)
    func `they wait for company, go out together and cost half`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let ids = try await bench.enqueueHalfPrice("a", "b", "c")
            #expect(try await bench.claim().isEmpty)
            #expect(try await bench.tend() == nil)
            let waiting = try await bench.job(ids[0])
            #expect(waiting.isHalfPrice && waiting.waitingFor?.gate == .batch)
            #expect(try await bench.route().inBatches == 0)
            let (consignment, requests) = try await bench.sent()
            #expect(requests.map(\.key.job) == ids)
            #expect(try await bench.route().inBatches == 3)
            let out = try await bench.job(ids[0])
            #expect(out.state == .running && out.lease == nil)
            #expect(out.waitingFor?.detail.contains("msgbatch_1") == true)
            for request in requests {
                try await bench.result(Sample.halfPriceAnswer, of: request.key, in: consignment)
            }
            try await bench.end(consignment)
            #expect(try await bench.route().inBatches == 0)
            #expect(try await bench.states(ids) == [.succeeded, .succeeded, .succeeded])
            let half = Money(nanodollars: Sample.cost.nanodollars / 2)
            #expect(try await bench.job(ids[1]).cost == half)
            let spend = try #require(try await bench.store.spend(by: .model, days: 1, now: bench.now).first)
            #expect(spend.batchCalls == 3 && spend.batchCost == half + half + half)
            #expect(
                spend.batchWholeCost == spend.batchCost + spend.batchCost && spend.cost == spend.batchCost)
            let history = try #require(try await bench.store.attempts(of: ids[0]))
            #expect(history.map(\.worker) == ["batch msgbatch_1"])
        }
    }

    @Test(arguments: Backend.allCases)
    func `a low priority makes no job wait longer for company`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let job = try Sample.job("later") { job in
                (job.isHalfPrice, job.priority) = (true, -57)
            }
            let ids = try await bench.enqueue([job])
            #expect(try await bench.sent().1.map(\.key.job) == ids)
        }
    }

    @Test(arguments: Backend.allCases)
    func `jobs that wait for a batch do not wait for the workers' slots, unless others do`(
        _ backend: Backend
    ) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            try await bench.enqueueHalfPrice("a", "b", "c", "d", "e", "f", "g", "h")
            let binding = try #require(try await bench.store.stats(now: bench.now).routes.first?.binding)
            #expect(binding.detail.contains("batch of their provider") && !binding.moreReplicasHelp)
            try await bench.enqueue(try Sample.jobs(7, prefix: "at once"))
            let slots = try await bench.store.stats(now: bench.now).routes.first?.binding
            #expect(
                slots == Binding(detail: "worker slots: 0 calls in flight, 5 slots", moreReplicasHelp: true))
        }
    }

    @Test(arguments: Backend.allCases)
    func `what the provider did not get to goes out with the next`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let ids = try await bench.enqueueHalfPrice("a", "b", room: 48 * Self.hour)
            let (first, requests) = try await bench.sent()
            try await bench.result(Sample.halfPriceAnswer, of: requests[0].key, in: first)
            try await bench.result(Sample.notProcessed, of: requests[1].key, in: first)
            try await bench.note(.ended, of: first)
            let (second, rest) = try await bench.sent(as: "msgbatch_2")
            #expect(rest.map(\.key.job) == [ids[1]])
            try await bench.result(Sample.halfPriceAnswer, of: rest[0].key, in: second)
            try await bench.end(second)
            #expect(try await bench.job(ids[1]).attemptsCounted == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `who has no time left goes to the ordinary line`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            let ids = try await bench.enqueueHalfPrice("a", room: 700_000)
            bench.clock.advance(101_000)
            #expect(try await bench.tend() == nil)
            let job = try await bench.job(ids[0])
            #expect(!job.isHalfPrice && job.state == .queued)
            try await bench.succeed(try await bench.claimOne())
        }
    }

    @Test(arguments: Backend.allCases)
    func `a consignment is due back before the first deadline in it`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            let ids = try await bench.enqueueHalfPrice("a", "b", room: Self.hour)
            let (consignment, requests) = try await bench.sent()
            let due = try #require(consignment.recallAt)
            let deadline = try #require(try await bench.job(ids[0]).deadline)
            #expect(deadline - due >= HalfPriceTerms.sample.reserve)
            bench.clock.advance(due - bench.now.timestamp)
            try await bench.note(.recalled(after: 0), of: consignment)
            let recalled = try #require(try await bench.tend())
            #expect(recalled.state == .recalled)
            try await bench.result(Sample.halfPriceAnswer, of: requests[0].key, in: recalled)
            try await bench.result(Sample.notProcessed, of: requests[1].key, in: recalled)
            try await bench.end(recalled)
            #expect(try await bench.claimOne().key.job == ids[1])
        }
    }

    @Test(arguments: Backend.allCases)
    func `what cannot be called back in time is called anew, and its price is not forgotten`(
        _ backend: Backend
    ) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            let ids = try await bench.enqueueHalfPrice("a", room: Self.hour)
            let (consignment, requests) = try await bench.sent()
            bench.clock.advance(Self.hour - HalfPriceTerms.sample.reserve / 3)
            try await bench.note(.pending(after: 0), of: consignment)
            let kept = try #require(try await bench.tend())
            let again = try await bench.claimOne()
            #expect(again.key.job == ids[0] && again.key.number == 2)
            let maybe = try #require(try await bench.store.attempts(of: ids[0])).first?.maybePaid
            #expect(maybe ?? .zero > .zero)
            try await bench.succeed(again)
            // The batch's own answer comes after all: what it cost is known then.
            try await bench.result(Sample.halfPriceAnswer, of: requests[0].key, in: kept)
            try await bench.end(kept)
            let history = try #require(try await bench.store.attempts(of: ids[0]))
            #expect(history.map(\.maybePaid) == [.zero, .zero])
            #expect(history.map(\.cost) == [Money(nanodollars: Sample.cost.nanodollars / 2), Sample.cost])
        }
    }

    @Test(arguments: Backend.allCases)
    func `one request that is refused leaves alone, and what is too large goes in halves`(
        _ backend: Backend
    ) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            let ids = try await bench.enqueueHalfPrice("a", "b", "c", "d", "e")
            bench.clock.advance(1000)
            let sealed = try #require(try await bench.tend())
            _ = try await bench.consignments.beginSending(sealed.id, keeper: bench.worker, now: bench.now)
            let requests = try await bench.consignments.requests(of: sealed.id)
            try await bench.note(.unsuitable(requests[1].key, "400"), of: sealed)
            #expect(try await bench.claimOne().key.job == ids[1])
            let rest = try #require(try await bench.tend())
            _ = try await bench.consignments.beginSending(rest.id, keeper: bench.worker, now: bench.now)
            #expect(try await bench.consignments.requests(of: rest.id).count == 4)
            try await bench.note(.tooLarge("413"), of: rest)
            var sent: [[JobID]] = []
            for _ in 0..<2 {
                let half = try #require(try await bench.tend())
                #expect(
                    try await bench.consignments.beginSending(half.id, keeper: bench.worker, now: bench.now))
                let requests = try await bench.consignments.requests(of: half.id)
                try await bench.note(.created("msgbatch_\(sent.count)"), of: half)
                for request in requests {
                    try await bench.result(Sample.halfPriceAnswer, of: request.key, in: half)
                }
                sent.append(requests.map(\.key.job))
            }
            #expect(sent.map(\.count) == [2, 2] && Set(sent.joined()) == Set(ids).subtracting([ids[1]]))
        }
    }

    @Test(arguments: Backend.allCases)
    func `a route that a person resumes sends what waits at once`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.enqueueHalfPrice("a")
            bench.clock.advance(1000)
            let sealed = try #require(try await bench.tend())
            _ = try await bench.consignments.beginSending(sealed.id, keeper: bench.worker, now: bench.now)
            try await bench.note(.unsent("429", after: 300_000), of: sealed)
            #expect(try await bench.tend() == nil)
            _ = try await bench.store.update(
                route: try await bench.route().name, paused: false, now: bench.now)
            #expect(try await bench.tend()?.state == .sealed)
        }
    }

    @Test(arguments: Backend.allCases)
    func `one that is not in the provider's list is made again, and only then`(_ backend: Backend)
        async throws
    {
        try await Bench.run(backend) { bench in
            try await bench.enqueueHalfPrice("a")
            bench.clock.advance(1000)
            let sealed = try #require(try await bench.tend())
            #expect(
                try await bench.consignments.beginSending(sealed.id, keeper: bench.worker, now: bench.now))
            try await bench.note(.unknown("cut", after: 0), of: sealed)
            for expected in [Consignment.State.creating, .creating, .sealed] {
                let next = try #require(try await bench.tend())
                #expect(next.state == expected)
                if expected == .creating { try await bench.note(.missing(after: 0), of: next) }
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `its keeper's death leaves it to another`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.enqueueHalfPrice("a")
            bench.clock.advance(1000)
            let sealed = try #require(try await bench.tend())
            let other = try await bench.store.register(
                NewWorker(name: "other", host: "there", processID: 2, slots: 5), now: bench.now)
            #expect(try await bench.tend(as: other) == nil)
            bench.clock.advance(31_000)
            _ = try await bench.store.renew(other, attempts: [], lease: 1000, now: bench.now)
            #expect(try await bench.tend(as: other)?.id == sealed.id)
            // Who lost it says nothing of it any more.
            #expect(
                try await !bench.consignments.beginSending(sealed.id, keeper: bench.worker, now: bench.now))
        }
    }

    @Test(arguments: Backend.allCases)
    func `another boot ends none of them`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let ids = try await bench.enqueueHalfPrice("a")
            let (consignment, _) = try await bench.sent()
            bench.clock.reboot()
            _ = try await bench.store.reap(now: bench.now)
            #expect(try await bench.states(ids) == [.running])
            #expect(try await bench.tend()?.id == consignment.id)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a provider that takes no batches costs nothing but the way`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            let ids = try await bench.enqueueHalfPrice("a", "b")
            bench.clock.advance(1000)
            let sealed = try #require(try await bench.tend())
            _ = try await bench.consignments.beginSending(sealed.id, keeper: bench.worker, now: bench.now)
            try await bench.note(.undeliverable("404"), of: sealed)
            #expect(try await bench.tend() == nil)
            #expect(Set(try await bench.claim().map(\.key.job)) == Set(ids))
            let history = try #require(try await bench.store.attempts(of: ids[0]))
            #expect(history.map(\.maybePaid) == [.zero, .zero])
        }
    }

    @Test(arguments: Backend.allCases)
    func `who cancels before it is sent is not in it, and nobody left calls it back`(
        _ backend: Backend
    ) async throws {
        try await Bench.run(backend) { bench in
            let ids = try await bench.enqueueHalfPrice("a", "b")
            bench.clock.advance(1000)
            let sealed = try #require(try await bench.tend())
            #expect(try await bench.store.cancel(ids[0], now: bench.now) == .changed)
            #expect(
                try await bench.consignments.beginSending(sealed.id, keeper: bench.worker, now: bench.now))
            let requests = try await bench.consignments.requests(of: sealed.id)
            #expect(requests.map(\.key.job) == [ids[1]])
            try await bench.note(.created("msgbatch_1"), of: sealed)
            #expect(try await bench.store.cancel(ids[1], now: bench.now) == .changed)
            let away = try #require(try await bench.tend())
            #expect(!away.isWanted)
            try await bench.result(Sample.halfPriceAnswer, of: requests[0].key, in: away)
            try await bench.end(away)
            #expect(try await bench.job(ids[1]).cost > .zero)
        }
    }

    @Test(arguments: Backend.allCases)
    func `an ordinary call for the same prompt waits for no batch`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            try await bench.enqueueHalfPrice("same")
            let (consignment, requests) = try await bench.sent()
            let ids = try await bench.enqueue("same")
            let call = try await bench.claimOne()
            #expect(call.key.job == ids[0])
            // And one more of the batch's kind waits for either.
            let follower = try await bench.enqueueHalfPrice("same")
            bench.clock.advance(1000)
            try await bench.note(.pending(after: 60_000), of: consignment)
            #expect(try await bench.tend() == nil)
            #expect(try await bench.job(follower[0]).waitingFor?.gate == .identicalPrompt)
            try await bench.succeed(call)
            #expect(try await bench.tend() == nil)
            #expect(try await bench.job(follower[0]).cached)
            try await bench.result(Sample.halfPriceAnswer, of: requests[0].key, in: consignment)
            #expect(try await bench.states([requests[0].key.job]) == [.succeeded])
        }
    }

    @Test(arguments: Backend.allCases)
    func `budgets hold half of the worst case, and keep the rest out`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let limit = Money(nanodollars: 400_000)
            try await bench.store.configure(
                budgets: [Budget(name: "day", window: .day, limit: limit)], now: bench.now)
            let ids = try await bench.enqueueHalfPrice("a", "b", "c", "d")
            let (_, requests) = try await bench.sent()
            let reserved = try #require(try await bench.store.budgets(now: bench.now).first).ledger.reserved
            #expect(reserved > .zero && reserved <= limit && requests.count < ids.count)
            #expect(try await bench.job(ids[3]).waitingFor?.gate == .budget)
        }
    }

    @Test(arguments: Backend.allCases)
    func `more than one transaction takes go out together, to the last one`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            for portion in 0..<2 {
                try await bench.enqueue(
                    try (0..<250).map { number in
                        try Sample.job("\(portion) \(number)") { $0.isHalfPrice = true }
                    })
            }
            let (_, requests) = try await bench.sent()
            #expect(requests.count == 500)
        }
    }

    @Test func `rooms double, so that who is called back takes its like along`() {
        let terms = HalfPriceTerms.sample
        let now = Timestamp(milliseconds: 0)
        func room(_ minutes: Int64) -> Int {
            terms.room(until: Timestamp(milliseconds: minutes * 60_000), at: now)
        }
        #expect([10, 19, 20, 39, 40, 80].map(room) == [0, 0, 1, 1, 2, 3])
        #expect(terms.room(until: nil, at: now) > room(1_000_000))
    }

    @Test(arguments: Backend.allCases)
    func `what was asked for at half the price stays there when it is changed or retried`(
        _ backend: Backend
    ) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            let ids = try await bench.enqueueHalfPrice("a", "b")
            let change = RetryChange(route: Sample.otherModel)
            #expect(try await bench.store.retry(ids[0], change: change, now: bench.now) == .changed)
            _ = try await bench.store.cancel(ids[1], now: bench.now)
            #expect(try await bench.store.retry(ids[1], change: RetryChange(), now: bench.now) == .changed)
            #expect(try await bench.claim().isEmpty)
            for id in ids { #expect(try await bench.job(id).waitingFor?.gate == .batch) }
        }
    }
}
