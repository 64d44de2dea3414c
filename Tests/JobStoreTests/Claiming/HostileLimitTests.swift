import Jobs
import SQLite
import Testing
import TestSupport

/// What a provider says of limits and usage, and what of it was stored before it was bounded: no route is lost for it.
@Suite struct HostileLimitTests {
    private static let honest = LimitReport(
        requests: .init(limit: 1000, remaining: 999), inputTokens: .init(limit: 50_000, remaining: 49_000),
        outputTokens: .init(limit: 10_000, remaining: 9_000))

    private static func all(_ limit: Int, remaining: Int) -> LimitReport {
        let window = LimitReport.Window(limit: limit, remaining: remaining)
        return LimitReport(requests: window, inputTokens: window, outputTokens: window)
    }

    /// The next call that is let through, and how long that took.
    private func next(_ harness: StoreHarness) async throws -> (ClaimedAttempt, Milliseconds) {
        var waited: Milliseconds = 0
        while true {
            let claim = try await harness.fullClaim(1)
            if let attempt = claim.attempts.first { return (attempt, waited) }
            let wait = max(1, try #require(claim.wakeAfter))
            waited += wait
            try #require(waited <= 600_000)
            harness.clock.advance(wait)
        }
    }

    @Test(arguments: Backend.allCases, [Int.max, 2_147_483_647, 1])
    func `after an absurd limit with nothing left, one honest answer and the route goes on`(
        _ backend: Backend, limit: Int
    ) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.enqueue(try Sample.jobs(20))
            let attempts = try await harness.claim(3)
            try await harness.succeed(attempts[0], limits: Self.all(limit, remaining: 0))
            try await harness.succeed(attempts[1], limits: Self.honest)
            try await harness.succeed(attempts[2], limits: Self.all(limit, remaining: 0))
            let (attempt, _) = try await next(harness)
            try await harness.succeed(attempt, limits: Self.honest)
            let (_, waited) = try await next(harness)
            #expect(waited <= 60_010)
            #expect(try await harness.route().requests?.perMinute ?? 0 <= TokenBucket.most)
        }
    }

    @Test(arguments: Backend.allCases)
    func `an answer that claims a million times its tokens holds the route for a minute`(
        _ backend: Backend
    ) async throws {
        try await StoreHarness.run(backend) { harness in
            let limits = RouteLimits(requests: 1000, inputTokens: 50_000, outputTokens: 10_000)
            try await harness.store.configure(route: Sample.route, limits: limits)
            try await harness.enqueue(try Sample.jobs(9))
            var settlement = Sample.success(try await harness.claimOne().key)
            settlement.answer?.usage = Usage(
                inputTokens: 1_000_000_000_000_000_000, outputTokens: 1_000_000_000_000_000_000)
            _ = try await harness.store.settle(settlement)
            let wait = try #require(try await harness.fullClaim().wakeAfter)
            // The next call is expected to take a little more than this one was.
            #expect(wait > 50_000 && wait <= 61_000)
            harness.clock.advance(wait)
            #expect(try await harness.claim().count >= 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `rows that hold absurd numbers heal when they are read`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let limits = RouteLimits(requests: 1000, inputTokens: 50_000, outputTokens: 10_000)
            try await harness.store.configure(route: Sample.route, limits: limits)
            try await harness.enqueue(try Sample.jobs(9))
            for attempt in try await harness.claim(2) { try await harness.succeed(attempt) }
            let rows = try Connection(path: harness.directory.database, mode: .write)
            try rows.execute(
                """
                UPDATE bucket SET level = -9e18, at = 9223372036854775807 WHERE kind = 'requests';
                UPDATE bucket SET level = -9e999, per_minute = 9223372036854775807, reserved = 9e999
                WHERE kind = 'input_tokens';
                UPDATE bucket SET level = 9e999 WHERE kind = 'output_tokens';
                UPDATE route
                SET gate = 'rate_limited', gate_boot = 7, gate_until = 99000000, gate_trips = 9223372036854775807,
                    gate_failures = 9223372036854775807, window = 9e999, window_threshold = -9e999,
                    input_per_byte = 9e999, high_output = 9e999, mean_call = -9e999, answers = 9223372036854775807,
                    open_input = 9e999, ramp_boot = 7, ramp_from = 9223372036854775807
                """)
            _ = try await harness.store.routes()
            _ = try await harness.store.stats()
            let (attempt, waited) = try await next(harness)
            #expect(waited <= 60_010)
            try await harness.succeed(attempt, limits: Self.honest)
            harness.clock.advance(60_000)
            #expect(try await harness.claim(2).count == 2)
        }
    }

    @Test(arguments: Backend.allCases)
    func `resuming a route clears its gate and its buckets, and teaches it anew`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            try await harness.store.configure(route: Sample.route, limits: RouteLimits(requests: 100))
            try await harness.enqueue(try Sample.jobs(30))
            let attempts = try await harness.claim(2)
            try await harness.succeed(attempts[0], limits: Self.all(10, remaining: 0))
            try await harness.meet(Sample.refusal(429, retryAfter: 86_400_000), attempts[1])
            #expect(try await harness.claim().isEmpty)
            let resumed = try await harness.store.update(route: Sample.route.name, paused: false)
            #expect(resumed?.gate == nil)
            #expect(resumed?.requests == RouteStatus.Level(perMinute: 100, available: 98))
            #expect(resumed?.inputTokens == nil)
            #expect(try await harness.claim(4).count == 4)
        }
    }

    @Test(arguments: Backend.allCases)
    func `pausing a route clears nothing`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.enqueue("one", "two")
            try await harness.succeed(try await harness.claimOne(), limits: .requests(50, remaining: 20))
            let paused = try await harness.store.update(route: Sample.route.name, paused: true)
            #expect(paused?.requests?.perMinute == 50)
        }
    }

    @Test(arguments: Backend.allCases)
    func `one overload leaves room beside a long call, where no limits are named`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            try await harness.enqueue("first")
            try await harness.succeed(try await harness.claimOne())
            try await harness.enqueue(try Sample.jobs(12))
            let attempts = try await harness.claim(2)
            try await harness.meet(Sample.refusal(529), attempts[1])
            // The other one still flies, for as long as it likes.
            #expect(try await harness.claim(30).count == 9)
        }
    }
}
