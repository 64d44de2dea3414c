import Jobs
import TestSupport
import Testing

/// Jobs that go with the provider's own batches, at half the price.
@Suite struct HalfPriceTests {
    private static let hour: Milliseconds = 3_600_000

    @Test(arguments: StoreUnderTest.all)
    func `they wait for company, go out together and cost half`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            let ids = try await harness.enqueueHalfPrice("a", "b", "c")
            #expect(try await harness.claim().isEmpty)
            #expect(try await harness.maintain() == nil)
            let waiting = try await harness.job(ids[0])
            #expect(waiting.isHalfPrice && waiting.waitingFor?.reason == .batch)
            #expect(try await harness.route().inBatches == 0)
            let (providerBatch, requests) = try await harness.sent()
            #expect(requests.map(\.key.job) == ids)
            #expect(try await harness.route().inBatches == 3)
            let out = try await harness.job(ids[0])
            #expect(out.state == .running && out.lease == nil)
            #expect(out.waitingFor?.detail.contains("msgbatch_1") == true)
            for request in requests {
                try await harness.result(Sample.halfPriceAnswer, of: request.key, in: providerBatch)
            }
            try await harness.end(providerBatch)
            #expect(try await harness.route().inBatches == 0)
            #expect(try await harness.states(ids) == [.succeeded, .succeeded, .succeeded])
            let half = Money(nanodollars: Sample.cost.nanodollars / 2)
            #expect(try await harness.job(ids[1]).cost == half)
            let spend = try #require(try await harness.store.spend(by: .model, days: 1).first)
            #expect(spend.batchCalls == 3 && spend.batchCost == half + half + half)
            #expect(spend.batchFullCost == spend.batchCost + spend.batchCost && spend.cost == spend.batchCost)
            let history = try #require(try await harness.store.attempts(of: ids[0]))
            #expect(history.map(\.worker) == ["batch msgbatch_1"])
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a low priority makes no job wait longer for company`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            let job = try Sample.job("later") { job in
                (job.isHalfPrice, job.priority) = (true, -57)
            }
            let ids = try await harness.enqueue([job])
            #expect(try await harness.sent().1.map(\.key.job) == ids)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `jobs that wait for a batch do not wait for the workers' slots, unless others do`(
        _ tested: StoreUnderTest
    ) async throws {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            try await harness.enqueueHalfPrice("a", "b", "c", "d", "e", "f", "g", "h")
            let bottleneck = try #require(try await harness.store.stats().routes.first?.bottleneck)
            #expect(bottleneck.detail.contains("batch of their provider") && !bottleneck.moreWorkersHelp)
            try await harness.enqueue(try Sample.jobs(7, prefix: "at once"))
            let slots = try await harness.store.stats().routes.first?.bottleneck
            #expect(
                slots
                    == Bottleneck(detail: "worker slots: 0 calls in flight, 5 slots", moreWorkersHelp: true))
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `what the provider did not get to goes out with the next`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            let ids = try await harness.enqueueHalfPrice("a", "b", deadlineClass: 48 * Self.hour)
            let (first, requests) = try await harness.sent()
            try await harness.result(Sample.halfPriceAnswer, of: requests[0].key, in: first)
            try await harness.result(Sample.notProcessed, of: requests[1].key, in: first)
            try await harness.note(.ended, of: first)
            let (second, rest) = try await harness.sent(as: "msgbatch_2")
            #expect(rest.map(\.key.job) == [ids[1]])
            try await harness.result(Sample.halfPriceAnswer, of: rest[0].key, in: second)
            try await harness.end(second)
            #expect(try await harness.job(ids[1]).attemptsCounted == 1)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `who has no time left goes to the ordinary line`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            let ids = try await harness.enqueueHalfPrice("a", deadlineClass: 700_000)
            harness.clock.advance(101_000)
            #expect(try await harness.maintain() == nil)
            let job = try await harness.job(ids[0])
            #expect(!job.isHalfPrice && job.state == .queued)
            try await harness.succeed(try await harness.claimOne())
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a provider batch is due back before the first deadline in it`(_ tested: StoreUnderTest) async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            let ids = try await harness.enqueueHalfPrice("a", "b", deadlineClass: Self.hour)
            let (providerBatch, requests) = try await harness.sent()
            let due = try #require(providerBatch.recallAt)
            let deadline = try #require(try await harness.job(ids[0]).deadline)
            #expect(deadline - due >= HalfPriceTerms.sample.deadlineMargin)
            harness.clock.advance(due - harness.now.timestamp)
            try await harness.note(.recalled(after: 0), of: providerBatch)
            let recalled = try #require(try await harness.maintain())
            #expect(recalled.state == .recalled)
            try await harness.result(Sample.halfPriceAnswer, of: requests[0].key, in: recalled)
            try await harness.result(Sample.notProcessed, of: requests[1].key, in: recalled)
            try await harness.end(recalled)
            #expect(try await harness.claimOne().key.job == ids[1])
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `what cannot be called back in time is called anew, and its price is not forgotten`(
        _ tested: StoreUnderTest
    ) async throws {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            let ids = try await harness.enqueueHalfPrice("a", deadlineClass: Self.hour)
            let (providerBatch, requests) = try await harness.sent()
            harness.clock.advance(Self.hour - HalfPriceTerms.sample.deadlineMargin / 3)
            try await harness.note(.pending(after: 0), of: providerBatch)
            let kept = try #require(try await harness.maintain())
            let again = try await harness.claimOne()
            #expect(again.key.job == ids[0] && again.key.number == 2)
            let maybe = try #require(try await harness.store.attempts(of: ids[0])).first?.unconfirmedCost
            #expect(maybe ?? .zero > .zero)
            try await harness.succeed(again)
            // The batch's own answer comes after all: what it cost is known then.
            try await harness.result(Sample.halfPriceAnswer, of: requests[0].key, in: kept)
            try await harness.end(kept)
            let history = try #require(try await harness.store.attempts(of: ids[0]))
            #expect(history.map(\.unconfirmedCost) == [.zero, .zero])
            #expect(history.map(\.cost) == [Money(nanodollars: Sample.cost.nanodollars / 2), Sample.cost])
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `one request that is refused leaves alone, and what is too large goes in halves`(
        _ tested: StoreUnderTest
    ) async throws {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            let ids = try await harness.enqueueHalfPrice("a", "b", "c", "d", "e")
            harness.clock.advance(1000)
            let sealed = try #require(try await harness.maintain())
            _ = try await harness.store.beginSending(sealed.id, owner: harness.worker)
            let requests = try await harness.store.requests(of: sealed.id)
            try await harness.note(.unsuitable(requests[1].key, "400"), of: sealed)
            #expect(try await harness.claimOne().key.job == ids[1])
            let rest = try #require(try await harness.maintain())
            _ = try await harness.store.beginSending(rest.id, owner: harness.worker)
            #expect(try await harness.store.requests(of: rest.id).count == 4)
            try await harness.note(.tooLarge("413"), of: rest)
            var sent: [[JobID]] = []
            for _ in 0..<2 {
                let half = try #require(try await harness.maintain())
                #expect(
                    try await harness.store.beginSending(
                        half.id, owner: harness.worker))
                let requests = try await harness.store.requests(of: half.id)
                try await harness.note(.created("msgbatch_\(sent.count)"), of: half)
                for request in requests {
                    try await harness.result(Sample.halfPriceAnswer, of: request.key, in: half)
                }
                sent.append(requests.map(\.key.job))
            }
            #expect(sent.map(\.count) == [2, 2] && Set(sent.joined()) == Set(ids).subtracting([ids[1]]))
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a route that a person resumes sends what waits at once`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            try await harness.enqueueHalfPrice("a")
            harness.clock.advance(1000)
            let sealed = try #require(try await harness.maintain())
            _ = try await harness.store.beginSending(sealed.id, owner: harness.worker)
            try await harness.note(.unsent("429", after: 300_000), of: sealed)
            #expect(try await harness.maintain() == nil)
            _ = try await harness.store.update(route: try await harness.route().name, paused: false)
            #expect(try await harness.maintain()?.state == .sealed)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `one that is not in the provider's list is made again, and only then`(_ tested: StoreUnderTest)
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await harness.enqueueHalfPrice("a")
            harness.clock.advance(1000)
            let sealed = try #require(try await harness.maintain())
            #expect(
                try await harness.store.beginSending(
                    sealed.id, owner: harness.worker))
            try await harness.note(.unknown("cut", after: 0), of: sealed)
            for expected in [ProviderBatch.State.creating, .creating, .sealed] {
                let next = try #require(try await harness.maintain())
                #expect(next.state == expected)
                if expected == .creating { try await harness.note(.missing(after: 0), of: next) }
            }
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `its owner's death leaves it to another`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            try await harness.enqueueHalfPrice("a")
            harness.clock.advance(1000)
            let sealed = try #require(try await harness.maintain())
            let other = try await harness.store.register(
                NewWorker(name: "other", host: "there", processID: 2, slots: 5))
            #expect(try await harness.maintain(as: other) == nil)
            harness.clock.advance(31_000)
            _ = try await harness.store.renew(other, attempts: [], lease: 1000)
            #expect(try await harness.maintain(as: other)?.id == sealed.id)
            // Who lost it says nothing of it any more.
            #expect(
                try await !harness.store.beginSending(
                    sealed.id, owner: harness.worker))
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `another boot ends none of them`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            let ids = try await harness.enqueueHalfPrice("a")
            let (providerBatch, _) = try await harness.sent()
            harness.clock.reboot()
            _ = try await harness.store.reap()
            #expect(try await harness.states(ids) == [.running])
            #expect(try await harness.maintain()?.id == providerBatch.id)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a provider that takes no batches costs nothing but the way`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            let ids = try await harness.enqueueHalfPrice("a", "b")
            harness.clock.advance(1000)
            let sealed = try #require(try await harness.maintain())
            _ = try await harness.store.beginSending(sealed.id, owner: harness.worker)
            try await harness.note(.undeliverable("404"), of: sealed)
            #expect(try await harness.maintain() == nil)
            #expect(Set(try await harness.claim().map(\.key.job)) == Set(ids))
            let history = try #require(try await harness.store.attempts(of: ids[0]))
            #expect(history.map(\.unconfirmedCost) == [.zero, .zero])
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `who cancels before it is sent is not in it, and nobody left calls it back`(
        _ tested: StoreUnderTest
    ) async throws {
        try await StoreHarness.run(tested) { harness in
            let ids = try await harness.enqueueHalfPrice("a", "b")
            harness.clock.advance(1000)
            let sealed = try #require(try await harness.maintain())
            #expect(try await harness.store.cancel(ids[0]) == .changed)
            #expect(
                try await harness.store.beginSending(
                    sealed.id, owner: harness.worker))
            let requests = try await harness.store.requests(of: sealed.id)
            #expect(requests.map(\.key.job) == [ids[1]])
            try await harness.note(.created("msgbatch_1"), of: sealed)
            #expect(try await harness.store.cancel(ids[1]) == .changed)
            let away = try #require(try await harness.maintain())
            #expect(!away.isWanted)
            try await harness.result(Sample.halfPriceAnswer, of: requests[0].key, in: away)
            try await harness.end(away)
            #expect(try await harness.job(ids[1]).cost > .zero)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `an ordinary call for the same prompt waits for no batch`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            try await harness.enqueueHalfPrice("same")
            let (providerBatch, requests) = try await harness.sent()
            let ids = try await harness.enqueue("same")
            let call = try await harness.claimOne()
            #expect(call.key.job == ids[0])
            // And one more of the batch's kind waits for either.
            let follower = try await harness.enqueueHalfPrice("same")
            harness.clock.advance(1000)
            try await harness.note(.pending(after: 60_000), of: providerBatch)
            #expect(try await harness.maintain() == nil)
            #expect(try await harness.job(follower[0]).waitingFor?.reason == .identicalPrompt)
            try await harness.succeed(call)
            #expect(try await harness.maintain() == nil)
            #expect(try await harness.job(follower[0]).cached)
            try await harness.result(Sample.halfPriceAnswer, of: requests[0].key, in: providerBatch)
            #expect(try await harness.states([requests[0].key.job]) == [.succeeded])
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a name that turns out to be another's is given up, and the batch is looked for again`(
        _ tested: StoreUnderTest
    ) async throws {
        try await StoreHarness.run(tested) { harness in
            try await harness.enqueueHalfPrice("a")
            let (away, _) = try await harness.sent(as: "msgbatch_other")
            try await harness.note(.stranger, of: away)
            let sought = try #require(try await harness.maintain())
            #expect(sought.state == .creating && sought.providerID == nil)
            #expect(sought.rejectedIDs == ["msgbatch_other"])
            try await harness.note(.created("msgbatch_1"), of: sought)
            #expect(try await harness.maintain()?.providerID == "msgbatch_1")
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `budgets hold half of the worst case, and keep the rest out`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            let limit = Money(nanodollars: 400_000)
            try await harness.store.configure(budgets: [Budget(name: "day", window: .day, limit: limit)])
            let ids = try await harness.enqueueHalfPrice("a", "b", "c", "d")
            let (_, requests) = try await harness.sent()
            let reserved = try #require(try await harness.store.budgets().first).ledger
                .reserved
            #expect(reserved > .zero && reserved <= limit && requests.count < ids.count)
            #expect(try await harness.job(ids[3]).waitingFor?.reason == .budget)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `more than one transaction takes go out together, to the last one`(_ tested: StoreUnderTest)
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            for portion in 0..<2 {
                try await harness.enqueue(
                    try (0..<250).map { number in
                        try Sample.job("\(portion) \(number)") { $0.isHalfPrice = true }
                    })
            }
            let (_, requests) = try await harness.sent()
            #expect(requests.count == 500)
        }
    }

    @Test func `rooms double, so that who is called back takes its like along`() {
        let terms = HalfPriceTerms.sample
        let now = Timestamp(milliseconds: 0)
        func deadlineClass(_ minutes: Int64) -> Int {
            terms.deadlineClass(until: Timestamp(milliseconds: minutes * 60_000), at: now)
        }
        #expect([10, 19, 20, 39, 40, 80].map(deadlineClass) == [0, 0, 1, 1, 2, 3])
        #expect(terms.deadlineClass(until: nil, at: now) > deadlineClass(1_000_000))
    }

    @Test(arguments: StoreUnderTest.all)
    func `what was asked for at half the price stays there when it is changed or retried`(
        _ tested: StoreUnderTest
    ) async throws {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            let ids = try await harness.enqueueHalfPrice("a", "b")
            let change = RetryChange(route: Sample.otherModel)
            #expect(try await harness.store.retry(ids[0], change: change) == .changed)
            _ = try await harness.store.cancel(ids[1])
            #expect(try await harness.store.retry(ids[1], change: RetryChange()) == .changed)
            #expect(try await harness.claim().isEmpty)
            for id in ids { #expect(try await harness.job(id).waitingFor?.reason == .batch) }
        }
    }
}
