import Jobs
import Testing
import TestSupport

/// Limits per minute: never overshot, learned, corrected, and shared by all.
@Suite struct LimitTests {
    /// The provider's own bucket: continuous, full at the start, and it must never run dry.
    private struct Provider {
        let perMinute: Double
        var level: Double
        var at: Milliseconds
        var lowest: Double

        init(perMinute: Int, at: Milliseconds) {
            self.perMinute = Double(perMinute)
            level = Double(perMinute)
            lowest = level
            self.at = at
        }

        mutating func take(_ amount: Double, at now: Milliseconds) {
            level = min(perMinute, level + Double(now - at) * perMinute / 60_000) - amount
            at = now
            lowest = min(lowest, level)
        }
    }

    @Test(arguments: Backend.allCases, [1, 2] as [UInt64])
    func `a stated limit is never overshot over hours, and used almost fully`(
        _ backend: Backend, seed: UInt64
    ) async throws {
        var random = SeededRandom(seed: seed)
        try await StoreHarness.run(backend) { harness in
            let store = harness.store
            try await store.configure(route: Sample.route, limits: .init(requests: 12))
            let jobs = try Sample.jobs(2_000).map { job in
                var job = job
                job.cache = .off
                return job
            }
            try await harness.enqueue(jobs)
            var provider = Provider(perMinute: 12, at: harness.now.moment.milliseconds)
            var flying: [(end: Milliseconds, attempt: ClaimedAttempt)] = []
            var calls = 0
            let start = harness.now.moment.milliseconds
            while harness.now.moment.milliseconds - start < 2 * 3_600_000 {
                let claim = try await harness.fullClaim(Int.random(in: 1...30, using: &random))
                for attempt in claim.attempts {
                    calls += 1
                    provider.take(1, at: harness.now.moment.milliseconds)
                    let end = harness.now.moment.milliseconds + .random(in: 200...20_000, using: &random)
                    flying.append((end, attempt))
                }
                // Sleeps as a worker would, or a little longer.
                harness.clock.advance((claim.wakeAfter ?? 0) + .random(in: 1...9_000, using: &random))
                let now = harness.now
                let done = flying.filter { $0.end <= now.moment.milliseconds }.map(\.attempt.key)
                flying.removeAll { $0.end <= now.moment.milliseconds }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for key in done {
                        group.addTask { _ = try await store.settle(Sample.success(key)) }
                    }
                    try await group.waitForAll()
                }
            }
            #expect(provider.lowest >= 0, "seed \(seed)")
            #expect(calls > 12 * 120 * 9 / 10, "seed \(seed)")
        }
    }

    @Test(arguments: Backend.allCases)
    func `tokens are reserved before the call and what was not used goes back`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            let limits = RouteLimits(inputTokens: 10_000, outputTokens: 200)
            try await harness.store.configure(route: Sample.route, limits: limits)
            let ids = try await harness.enqueue(try Sample.jobs(9))
            // 196 tokens are there; each call may write 64.
            let attempts = try await harness.claim(9)
            #expect(attempts.count == 3)
            #expect(try await harness.route().outputTokens?.available == 4)
            let waiting = try await harness.job(ids[8]).waitingFor
            #expect(waiting?.reason == .rateLimit)
            #expect(waiting?.detail == "output tokens per minute")
            try await harness.succeed(attempts[0])
            #expect(try await harness.route().outputTokens?.available == 64)
            for attempt in attempts.dropFirst() { try await harness.succeed(attempt) }
            // What answers are like is not known well yet, but well enough for one more: 4 tokens.
            #expect(try await harness.claim(9).count > 3)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a call larger than the limit goes when the bucket is full, as a debt`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            try await harness.store.configure(route: Sample.route, limits: .init(outputTokens: 50))
            try await harness.enqueue("one", "two")
            #expect(try await harness.claim().count == 1)
            #expect(try await harness.route().outputTokens?.available == -15)
            let wait = try #require(try await harness.fullClaim().wakeAfter)
            #expect(wait > 60_000)
            harness.clock.advance(wait)
            #expect(try await harness.claim().count == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `five calls fly while nothing is known of the limits`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let ids = try await harness.enqueue(try Sample.jobs(30))
            let attempts = try await harness.claim(30)
            #expect(attempts.count == 5)
            #expect(try await harness.job(ids[29]).waitingFor?.reason == .rateLimit)
            #expect(try await harness.claim(30).isEmpty)
            try await harness.succeed(attempts[0])
            // The answer named no limits: there are none that are known.
            #expect(try await harness.claim(30).count == 16)
        }
    }

    @Test(arguments: Backend.allCases)
    func `headers teach the limits`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.enqueue(try Sample.jobs(30))
            let attempts = try await harness.claim(30)
            try await harness.succeed(attempts[0], limits: .requests(50, remaining: 20))
            let level = try await harness.route().requests
            #expect(level?.perMinute == 50)
            // Four more may have been sent since.
            #expect(level?.available == 16)
            #expect(try await harness.claim(30).count == 16)
        }
    }

    @Test(arguments: Backend.allCases)
    func `headers correct a level that is too high, and never raise one`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            try await harness.store.configure(route: Sample.route, limits: .init(requests: 100))
            try await harness.enqueue(try Sample.jobs(30))
            let attempts = try await harness.claim(3)
            try await harness.succeed(attempts[2], limits: .requests(100, remaining: 10))
            #expect(try await harness.route().requests?.available == 10)
            // Sent before the other two: they are reserved since.
            try await harness.succeed(attempts[0], limits: .requests(100, remaining: 40))
            #expect(try await harness.route().requests?.available == 10)
            try await harness.succeed(attempts[1], limits: .requests(100, remaining: 4))
            #expect(try await harness.route().requests?.available == 3)
        }
    }

    @Test(arguments: Backend.allCases)
    func `the lower of the stated and the provider's limit counts`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.store.configure(route: Sample.route, limits: .init(requests: 100))
            try await harness.enqueue("one", "two")
            let attempts = try await harness.claim()
            try await harness.succeed(attempts[0], limits: .requests(1_000))
            #expect(try await harness.route().requests?.perMinute == 100)
            try await harness.succeed(attempts[1], limits: .requests(50))
            #expect(try await harness.route().requests?.perMinute == 50)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a limit that is stated no more holds no more`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let store = harness.store
            try await store.configure(route: Sample.route, limits: .init(requests: 2))
            try await harness.enqueue(try Sample.jobs(12))
            let attempts = try await harness.claim(12)
            #expect(attempts.count == 1)
            try await store.configure(route: Sample.route, limits: .init())
            try await harness.succeed(try #require(attempts.first))
            #expect(try await harness.route().requests == nil)
            #expect(try await harness.claim(12).count == 11)
        }
    }

    @Test(arguments: Backend.allCases)
    func `stating nothing forgets nothing that was learned`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.enqueue("one")
            try await harness.succeed(try await harness.claimOne(), limits: .requests(50, remaining: 20))
            let learned = try await harness.route().requests
            try await harness.store.configure(route: Sample.route, limits: .init())
            #expect(try await harness.route().requests == learned)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a reboot fills no bucket`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.store.configure(route: Sample.route, limits: .init(requests: 10))
            try await harness.enqueue(try Sample.jobs(30))
            #expect(try await harness.claim(30).count == 9)
            harness.clock.reboot()
            #expect(try await harness.claim(30).isEmpty)
            harness.clock.advance(30_000)
            #expect(try await harness.claim(30).count == 5)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a provider that enforces by the second gets no more at once than a second brings`(
        _ backend: Backend
    ) async throws {
        try await StoreHarness.run(backend) { harness in
            let limits = RouteLimits(requests: 600, burst: 1_000)
            try await harness.store.configure(route: Sample.route, limits: limits)
            try await harness.enqueue(try Sample.jobs(40))
            #expect(try await harness.claim(40).count == 8)
            harness.clock.advance(500)
            #expect(try await harness.claim(40).count == 4)
        }
    }

    @Test(arguments: Backend.allCases)
    func `where it is asked for, calls reserve all that they may write`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let limits = RouteLimits(outputTokens: 200, reservesMaxTokens: true)
            try await harness.store.configure(route: Sample.route, limits: limits)
            try await harness.enqueue(try Sample.jobs(40))
            for _ in 0..<5 {
                for attempt in try await harness.claim(1) { try await harness.succeed(attempt) }
            }
            // 196 less five answers of 4 tokens: room for two of 64.
            #expect(try await harness.claim(9).count == 2)
        }
    }

    @Test(arguments: Backend.allCases)
    func `without known limits calls in flight grow with answers, and are halved by a refusal`(
        _ backend: Backend
    ) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.enqueue(try Sample.jobs(400))
            var round = try await harness.claim(100)
            var sizes: [Int] = []
            for _ in 0..<4 {
                for attempt in round { try await harness.succeed(attempt) }
                round = try await harness.claim(100)
                sizes.append(round.count)
            }
            #expect(sizes == sizes.sorted() && sizes.last.map { $0 > 15 } == true)
            let borne = round.count
            for attempt in round.prefix(3) {
                try await harness.meet(Sample.refusal(429, retryAfter: 1_000), attempt)
            }
            for attempt in round.dropFirst(3) { try await harness.succeed(attempt) }
            harness.clock.advance(20_000)
            let after = try await harness.claim(100).count
            #expect(after >= borne / 2 - 1 && after < borne, "halved once for a round, however many refused")
        }
    }

    @Test(arguments: Backend.allCases)
    func `a large call is not overtaken for ever by small ones of another queue`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            let limits = RouteLimits(outputTokens: 1_000, reservesMaxTokens: true)
            try await harness.store.configure(route: Sample.route, limits: limits)
            let large = try Sample.job("large", queue: "large") { $0.maxTokens = 900 }
            try await harness.enqueue(try Sample.jobs(100, queue: "small"))
            _ = try await harness.claim(100)
            let id = try await harness.enqueue([large])[0]
            for _ in 0..<60 {
                harness.clock.advance(1_000)
                _ = try await harness.claim(1)
            }
            #expect(try await harness.job(id).state == .running)
        }
    }
}
