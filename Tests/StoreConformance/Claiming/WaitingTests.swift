import Jobs
import Testing
import TestSupport

/// What queued jobs wait for, when they will run, and the bottleneck.
@Suite struct WaitingTests {
    /// A route of 60 requests a minute, whose calls take a second, with its bucket used up.
    private func use(_ harness: StoreHarness) async throws {
        try await harness.warmUp()
        try await harness.store.configure(route: Sample.route, limits: .init(requests: 60))
        try await harness.enqueue(try Sample.jobs(57, prefix: "first"))
        for attempt in try await harness.claim(100) {
            var settlement = Sample.success(attempt.key)
            settlement.callMilliseconds = 1_000
            _ = try await harness.store.settle(settlement)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a job's turn is told from its place and the rate of the bottleneck`(_ tested: StoreUnderTest)
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await use(harness)
            let ids = try await harness.enqueue(try Sample.jobs(100))
            let waiting = try #require(try await harness.job(ids[98]).waitingFor)
            #expect(waiting.reason == .rateLimit)
            let wait = try #require(waiting.estimatedAt) - harness.now.timestamp
            #expect(wait > 95_000 && wait < 105_000)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `two queues that share a route each wait twice as long`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            try await use(harness)
            try await harness.enqueue(try Sample.jobs(100, queue: "one", prefix: "a"))
            let ids = try await harness.enqueue(try Sample.jobs(100, queue: "two", prefix: "b"))
            let wait = try #require(try await harness.job(ids[50]).waitingFor?.estimatedAt)
            #expect((wait - harness.now.timestamp) / 10_000 == 10)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `places far back are told without counting`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            try await use(harness)
            var ids: [JobID] = []
            for part in 0..<20 {
                ids += try await harness.enqueue(try Sample.jobs(100, prefix: "\(part)"))
                harness.clock.advance(1)
            }
            let wait = try #require(try await harness.job(ids[1_500]).waitingFor?.estimatedAt)
            #expect(abs(wait - harness.now.timestamp - 1_530_000) < 200_000)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a scheduled job runs when it is due, and a paused one nobody knows when`(_ tested: StoreUnderTest)
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await use(harness)
            let due = try await harness.enqueue([try Sample.job("later") { $0.delay = 60_000 }])[0]
            #expect(try await harness.job(due).waitingFor?.estimatedAt == harness.now.timestamp + 60_000)
            _ = try await harness.store.update(queue: "off", QueuePatch(paused: true))
            let paused = try await harness.enqueue([try Sample.job("off", queue: "off")])[0]
            #expect(try await harness.job(paused).waitingFor?.estimatedAt == nil)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `while the provider is down nobody tells a time, and the next probe is none`(
        _ tested: StoreUnderTest
    )
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            let ids = try await harness.enqueue(try Sample.jobs(30))
            for attempt in try await harness.claim(10) {
                _ = try await harness.meet(Sample.refusal(500), attempt)
            }
            // Before the first probe, and when it may go.
            for _ in 0..<2 {
                let route = try await harness.route()
                #expect(route.gate?.reason == .breaker && route.gate?.until == nil)
                let waiting = try #require(try await harness.job(ids[20]).waitingFor)
                #expect(waiting.reason == .breaker && waiting.until == nil && waiting.estimatedAt == nil)
                let totals = try await harness.store.stats().queues.flatMap(\.waiting)
                let blocked = totals.filter { $0.waiting.reason == .breaker }
                #expect(!blocked.isEmpty && blocked.allSatisfy { $0.waiting.estimatedAt == nil })
                harness.clock.advance(120_000)
            }
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `queues and routes tell what waits as totals, and the bottleneck`(_ tested: StoreUnderTest)
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await use(harness)
            try await harness.enqueue(try Sample.jobs(70))
            try await harness.enqueue([try Sample.job("later", queue: "later") { $0.delay = 60_000 }])
            let stats = try await harness.store.stats()
            let total = try #require(stats.queues.first { $0.name == "default" }?.waiting.first)
            #expect(total.jobs == 70 && total.waiting.reason == .rateLimit)
            #expect(stats.queues.first { $0.name == "later" }?.waiting.map(\.waiting.reason) == [.schedule])
            let route = try #require(stats.routes.first)
            #expect(route.waiting.map(\.jobs).reduce(0, +) == 71)
            let bottleneck = try #require(route.bottleneck)
            #expect(bottleneck.detail == "requests per minute, 99 % used")
            #expect(!bottleneck.moreWorkersHelp)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `full slots are named, and more workers help`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            try await harness.enqueue(try Sample.jobs(20))
            _ = try await harness.claim(5)
            let bottleneck = try await harness.store.stats().routes.first?.bottleneck
            #expect(bottleneck?.detail == "worker slots: 5 calls in flight, 5 slots")
            #expect(bottleneck?.moreWorkersHelp == true)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `with more jobs ready than slots are free the slots bind, whatever one instant's calls`(
        _ tested: StoreUnderTest
    ) async throws {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            try await harness.enqueue(try Sample.jobs(20))
            _ = try await harness.claim(3)
            let bottleneck = try await harness.store.stats().routes.first?.bottleneck
            #expect(bottleneck?.detail == "worker slots: 3 calls in flight, 5 slots")
            #expect(bottleneck?.moreWorkersHelp == true)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `with a slot free for each ready job nothing binds`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            try await harness.enqueue(try Sample.jobs(2))
            #expect(try await harness.store.stats().routes.first?.bottleneck == nil)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a limit below what the slots could do binds even while it lets some calls through`(
        _ tested: StoreUnderTest
    ) async throws {
        try await StoreHarness.run(tested) { harness in
            try await use(harness)
            try await harness.enqueue(try Sample.jobs(70))
            harness.clock.advance(10_000)
            let bottleneck = try #require(try await harness.store.stats().routes.first?.bottleneck)
            #expect(bottleneck.detail.hasPrefix("requests per minute, "), "\(bottleneck)")
            #expect(!bottleneck.moreWorkersHelp)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `times to answer are told by route, waiting and calling apart`(_ tested: StoreUnderTest) async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            try await harness.enqueue(try Sample.jobs(10))
            harness.clock.advance(3_000)
            let attempts = try await harness.claim(10)
            harness.clock.advance(1_000)
            for attempt in attempts {
                var settlement = Sample.success(attempt.key)
                settlement.callMilliseconds = 1_000
                _ = try await harness.store.settle(settlement)
            }
            let latency = try #require(try await harness.route().latency)
            #expect(latency.answers == 11)
            #expect((4_000...4_500).contains(latency.answer.p50))
            #expect((3_000...3_375).contains(latency.waiting.p95))
            #expect((1_000...1_125).contains(latency.calling.p99))
            harness.clock.advance(20 * 60_000)
            #expect(try await harness.route().latency == nil)
            _ = try await harness.store.prune(olderThan: 86_400_000)
        }
    }
}
