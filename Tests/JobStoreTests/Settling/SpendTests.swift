import Jobs
import Testing
import TestSupport

/// The account of every cent: by day, model, queue and tag, and a batch's receipt.
@Suite struct SpendTests {
    private func share(_ harness: StoreHarness, by axis: SpendAxis, _ name: String) async throws -> SpendShare
    {
        let shares = try await harness.store.spend(by: axis, days: 31)
        return try #require(shares.first { $0.name == name })
    }

    @Test(arguments: Backend.allCases)
    func `spending is told by model, queue and tag, with what the cache and shared calls saved`(
        _ backend: Backend
    ) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            try await harness.warmUp(Sample.otherModel)
            func job(_ text: String, tags: [String] = []) throws -> NewJob {
                try Sample.job(text, queue: "mail") { $0.tags = tags }
            }
            try await harness.enqueue([
                try job("same", tags: ["gold", "x"]), try job("same", tags: ["gold"]), try job("own"),
            ])
            let attempts = try await harness.claim(5)
            #expect(attempts.count == 2)
            harness.clock.advance(50)
            for attempt in attempts { try await harness.succeed(attempt) }
            // The follower shares the call; a later job finds the answer in the cache.
            _ = try await harness.claim(5)
            harness.clock.advance(50)
            try await harness.enqueue([try job("same", tags: ["x"])])
            _ = try await harness.claim(5)

            let mail = try await share(harness, by: .queue, "mail")
            #expect(mail.calls == 2 && mail.cacheHits == 2 && mail.sharedHits == 1)
            #expect(mail.cost == Sample.cost + Sample.cost)
            #expect(mail.saved == Sample.cost + Sample.cost && mail.sharedSaved == Sample.cost)
            let gold = try await share(harness, by: .tag, "gold")
            #expect(
                gold.calls == 1 && gold.cacheHits == 1 && gold.cost == Sample.cost
                    && gold.saved == Sample.cost)
            let x = try await share(harness, by: .tag, "x")
            #expect(x.calls == 1 && x.cacheHits == 1)
            #expect(try await share(harness, by: .model, Sample.model).calls == 3)
            let day = String(harness.now.timestamp.text.prefix(10))
            #expect(try await share(harness, by: .day, day).calls == 4)
            harness.clock.advance(86_400_000)
            #expect(try await harness.store.spend(by: .tag, days: 1).isEmpty)
        }
    }

    @Test(arguments: Backend.allCases)
    func `names that are large numbers are names`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let name = "99999999999999999"
            try await harness.enqueue([try Sample.job("x", queue: name) { $0.tags = [name] }])
            for attempt in try await harness.claim(5) { try await harness.succeed(attempt) }
            #expect(try await share(harness, by: .queue, name).calls == 1)
            #expect(try await share(harness, by: .tag, name).calls == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a batch's receipt has its calls, its cached answers and what is unconfirmed`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            let id = try await harness.store.createBatch(name: "all", metadata: nil).id
            try await harness.enqueue(try ["a", "a", "b"].map { try Sample.job($0) { $0.batch = id } })
            let attempts = try await harness.claim(5)
            try await harness.succeed(attempts[0])
            _ = try await harness.claim(0)
            _ = try await harness.fullClaim(1)
            harness.clock.advance(31_000)
            _ = try await harness.store.reap()
            let batch = try #require(try await harness.store.batch(id))
            #expect(batch.calls == 2 && batch.cacheHits == 1)
            #expect(batch.cost == Sample.cost && batch.saved == Sample.cost)
            #expect(batch.unconfirmedCost > .zero)
        }
    }

    @Test(arguments: Backend.allCases)
    func `mixed calls are booked to the nano-dollar`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            let usages = [
                Usage(inputTokens: 21, outputTokens: 4),
                Usage(inputTokens: 10, outputTokens: 7, cacheWriteTokens: 5_000, cacheWrite1hTokens: 3_000),
                Usage(inputTokens: 10, outputTokens: 7, cacheReadTokens: 5_000),
                Usage(inputTokens: 21, outputTokens: 4, isBatch: true),
            ]
            let bound = CostBound(inputTokens: 6_000, writes: .oneHour, webSearches: 0)
            let ids = try await harness.enqueue(
                try (0..<1_000).map { try Sample.job("prompt \($0)") { $0.bound = bound } })
            var count = 0
            while case let attempts = try await harness.claim(100), !attempts.isEmpty {
                for attempt in attempts {
                    var settlement = Sample.success(attempt.key)
                    settlement.answer?.usage = usages[count % 4]
                    // Of every ten calls one is refused at once, which costs nothing.
                    if count % 10 == 9 {
                        settlement.answer?.stopReason = "refusal"
                        settlement.answer?.body = Array(#"{"content":[]}"#.utf8)
                    }
                    _ = try await harness.store.settle(settlement)
                    count += 1
                }
            }
            #expect(count == 1_000)
            // By hand: 41,000 + 8,545,000 + 545,000 + 20,500 nano-dollars a round of four. The refused calls are 9, 19, 29 …:
            // in a round of twenty those of usage 1 (9), 3 (19); 50 of each in a thousand.
            let expected = 250 * (41_000 + 8_545_000 + 545_000 + 20_500) - 50 * (8_545_000 + 20_500)
            let stats = try await harness.store.stats()
            #expect(stats.spend.first?.cost == Money(nanodollars: Int64(expected)) + Sample.cost)
            var jobs = Money.zero
            for id in ids { jobs = jobs + (try await harness.job(id).cost) }
            #expect(jobs.nanodollars == Int64(expected))
        }
    }
}
