import Jobs
import Testing
import TestSupport

/// What the beginning of an answer tells, long before its end.
@Suite struct BeginningTests {
    private func breakRoute(_ harness: StoreHarness) async throws {
        for attempt in try await harness.claim(5) { try await harness.meet(Sample.refusal(500), attempt) }
        harness.clock.advance(6_000)
    }

    @Test(arguments: Backend.allCases)
    func `the first word of a probe's answer opens the gate`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            try await harness.enqueue(try Sample.jobs(30))
            try await breakRoute(harness)
            let probe = try await harness.claimOne()
            #expect(probe.isProbe && !probe.learnsLimits)
            harness.clock.advance(3_000)
            #expect(try await harness.claim().isEmpty)
            try await harness.store.noteBeginning(AnswerBeginning(key: probe.key, isAnswering: true))
            #expect(try await harness.route().gate == nil)
            let others = try await harness.claim()
            #expect(others.count == 1 && others.allSatisfy { !$0.isProbe })
            harness.clock.advance(20_000)
            try await harness.succeed(probe)
            #expect(try await harness.route().gate == nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `what a closed attempt hears changes nothing`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            try await harness.enqueue(try Sample.jobs(30))
            try await breakRoute(harness)
            let probe = try await harness.claimOne()
            try await harness.meet(Sample.refusal(500), probe)
            let beginning = AnswerBeginning(
                key: probe.key, limits: .requests(7, remaining: 7), isAnswering: true)
            try await harness.store.noteBeginning(beginning)
            #expect(try await harness.route().gate?.reason == .breaker)
            var strange = beginning
            strange.key.number = 99
            try await harness.store.noteBeginning(strange)
            #expect(try await harness.route().requests?.perMinute == 1_000_000)
        }
    }

    @Test(arguments: Backend.allCases)
    func `limits are learned from the head of the first answer`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.enqueue(try Sample.jobs(30))
            let attempts = try await harness.claim(30)
            #expect(attempts.count == 5 && attempts.allSatisfy { $0.learnsLimits && !$0.isProbe })
            try await harness.store.noteBeginning(
                AnswerBeginning(key: attempts[2].key, limits: .requests(50, remaining: 20)))
            // Four of those in flight may not be counted in it yet.
            #expect(try await harness.route().requests == RouteStatus.Level(perMinute: 50, available: 16))
            let more = try await harness.claim(30)
            #expect(more.count == 15, "as many as may fly before the first answer is whole")
            #expect(more.allSatisfy { !$0.learnsLimits })
        }
    }

    @Test(arguments: Backend.allCases)
    func `that a provider names no limits is learned from the first word`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.enqueue(try Sample.jobs(30))
            let attempts = try await harness.claim(30)
            try await harness.store.noteBeginning(AnswerBeginning(key: attempts[0].key, isAnswering: true))
            #expect(try await harness.claim(30).count == 15)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a call on a healthy route has nothing to tell`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            try await harness.enqueue(try Sample.jobs(3))
            #expect(try await harness.claim(3).allSatisfy { !$0.isProbe && !$0.learnsLimits })
        }
    }
}
