import Jobs
import Testing

/// The account of every cent: by day, model, queue and tag, and a batch's receipt.
@Suite struct SpendTests {
    private func share(_ bench: Bench, by axis: SpendAxis, _ name: String) async throws -> SpendShare {
        let shares = try await bench.store.spend(by: axis, days: 31, now: bench.now)
        return try #require(shares.first { $0.name == name })
    }

    @Test(arguments: Backend.allCases)
    func `spending is told by model, queue and tag, with what the cache and shared calls saved`(
        _ backend: Backend
    ) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            try await bench.warmUp(Sample.otherModel)
            func job(_ text: String, tags: [String] = []) throws -> NewJob {
                try Sample.job(text, queue: "mail") { $0.tags = tags }
            }
            try await bench.enqueue([
                try job("same", tags: ["gold", "x"]), try job("same", tags: ["gold"]), try job("own"),
            ])
            let attempts = try await bench.claim(5)
            #expect(attempts.count == 2)
            bench.clock.advance(50)
            for attempt in attempts { try await bench.succeed(attempt) }
            // The follower shares the call; a later job finds the answer in the cache.
            _ = try await bench.claim(5)
            bench.clock.advance(50)
            try await bench.enqueue([try job("same", tags: ["x"])])
            _ = try await bench.claim(5)

            let mail = try await share(bench, by: .queue, "mail")
            #expect(mail.calls == 2 && mail.hits == 2 && mail.sharedHits == 1)
            #expect(mail.cost == Sample.cost + Sample.cost)
            #expect(mail.saved == Sample.cost + Sample.cost && mail.sharedSaved == Sample.cost)
            let gold = try await share(bench, by: .tag, "gold")
            #expect(
                gold.calls == 1 && gold.hits == 1 && gold.cost == Sample.cost && gold.saved == Sample.cost)
            let x = try await share(bench, by: .tag, "x")
            #expect(x.calls == 1 && x.hits == 1)
            #expect(try await share(bench, by: .model, Sample.model).calls == 3)
            let day = String(bench.now.timestamp.text.prefix(10))
            #expect(try await share(bench, by: .day, day).calls == 4)
            bench.clock.advance(86_400_000)
            #expect(try await bench.store.spend(by: .tag, days: 1, now: bench.now).isEmpty)
        }
    }

    @Test(arguments: Backend.allCases)
    func `names that are large numbers are names`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let name = "99999999999999999"
            try await bench.enqueue([try Sample.job("x", queue: name) { $0.tags = [name] }])
            for attempt in try await bench.claim(5) { try await bench.succeed(attempt) }
            #expect(try await share(bench, by: .queue, name).calls == 1)
            #expect(try await share(bench, by: .tag, name).calls == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a batch's receipt has its calls, its cached answers and what is maybe paid`(_ backend: Backend)
        async throws
    {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            let id = try await bench.store.createBatch(name: "all", metadata: nil, now: bench.now).id
            try await bench.enqueue(try ["a", "a", "b"].map { try Sample.job($0) { $0.batch = id } })
            let attempts = try await bench.claim(5)
            try await bench.succeed(attempts[0])
            _ = try await bench.claim(0)
            _ = try await bench.fullClaim(1)
            bench.clock.advance(31_000)
            _ = try await bench.store.reap(now: bench.now)
            let batch = try #require(try await bench.store.batch(id))
            #expect(batch.calls == 2 && batch.hits == 1)
            #expect(batch.cost == Sample.cost && batch.saved == Sample.cost)
            #expect(batch.maybePaid > .zero)
        }
    }

    @Test(arguments: Backend.allCases)
    func `mixed calls are booked to the nano-dollar`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            let usages = [
                Usage(inputTokens: 21, outputTokens: 4),
                Usage(inputTokens: 10, outputTokens: 7, cacheWriteTokens: 5_000, cacheWrite1hTokens: 3_000),
                Usage(inputTokens: 10, outputTokens: 7, cacheReadTokens: 5_000),
                Usage(inputTokens: 21, outputTokens: 4, isBatch: true),
            ]
            let bound = CostBound(inputTokens: 6_000, writes: .oneHour, webSearches: 0)
            let ids = try await bench.enqueue(
                try (0..<1_000).map { try Sample.job("prompt \($0)") { $0.bound = bound } })
            var count = 0
            while case let attempts = try await bench.claim(100), !attempts.isEmpty {
                for attempt in attempts {
                    var settlement = Sample.success(attempt.key)
                    settlement.answer?.usage = usages[count % 4]
                    // Of every ten calls one is refused at once, which costs nothing.
                    if count % 10 == 9 {
                        settlement.answer?.stopReason = "refusal"
                        settlement.answer?.body = Array(#"{"content":[]}"#.utf8)
                    }
                    _ = try await bench.store.settle(settlement, now: bench.now)
                    count += 1
                }
            }
            #expect(count == 1_000)
            // By hand: 41,000 + 8,545,000 + 545,000 + 20,500 nano-dollars a round of four. The refused calls are 9, 19, 29 …:
            // in a round of twenty those of usage 1 (9), 3 (19); 50 of each in a thousand.
            let expected = 250 * (41_000 + 8_545_000 + 545_000 + 20_500) - 50 * (8_545_000 + 20_500)
            let stats = try await bench.store.stats(now: bench.now)
            #expect(stats.spend.first?.cost == Money(nanodollars: Int64(expected)) + Sample.cost)
            var jobs = Money.zero
            for id in ids { jobs = jobs + (try await bench.job(id).cost) }
            #expect(jobs.nanodollars == Int64(expected))
        }
    }
}
