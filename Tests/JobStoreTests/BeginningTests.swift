import Jobs
import Testing

/// What the beginning of an answer tells, long before its end.
@Suite struct BeginningTests {
    private func breakRoute(_ bench: Bench) async throws {
        for attempt in try await bench.claim(5) { try await bench.meet(Sample.refusal(500), attempt) }
        bench.clock.advance(6_000)
    }

    @Test(arguments: Backend.allCases)
    func `the first word of a probe's answer opens the gate`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            try await bench.enqueue(try Sample.jobs(30))
            try await breakRoute(bench)
            let probe = try await bench.claimOne()
            #expect(probe.isProbe && !probe.learnsLimits)
            bench.clock.advance(3_000)
            #expect(try await bench.claim().isEmpty)
            try await bench.store.hear(AnswerBeginning(key: probe.key, isAnswering: true), now: bench.now)
            #expect(try await bench.route().gate == nil)
            let others = try await bench.claim()
            #expect(others.count == 1 && others.allSatisfy { !$0.isProbe })
            bench.clock.advance(20_000)
            try await bench.succeed(probe)
            #expect(try await bench.route().gate == nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `what a closed attempt hears changes nothing`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            try await bench.enqueue(try Sample.jobs(30))
            try await breakRoute(bench)
            let probe = try await bench.claimOne()
            try await bench.meet(Sample.refusal(500), probe)
            let beginning = AnswerBeginning(
                key: probe.key, limits: .requests(7, remaining: 7), isAnswering: true)
            try await bench.store.hear(beginning, now: bench.now)
            #expect(try await bench.route().gate?.gate == .breaker)
            var strange = beginning
            strange.key.number = 99
            try await bench.store.hear(strange, now: bench.now)
            #expect(try await bench.route().requests?.perMinute == 1_000_000)
        }
    }

    @Test(arguments: Backend.allCases)
    func `limits are learned from the head of the first answer`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.enqueue(try Sample.jobs(30))
            let attempts = try await bench.claim(30)
            #expect(attempts.count == 5 && attempts.allSatisfy { $0.learnsLimits && !$0.isProbe })
            try await bench.store.hear(
                AnswerBeginning(key: attempts[2].key, limits: .requests(50, remaining: 20)), now: bench.now)
            // Four of those in flight may not be counted in it yet.
            #expect(try await bench.route().requests == RouteStatus.Level(perMinute: 50, available: 16))
            let more = try await bench.claim(30)
            #expect(more.count == 15, "as many as may fly before the first answer is whole")
            #expect(more.allSatisfy { !$0.learnsLimits })
        }
    }

    @Test(arguments: Backend.allCases)
    func `that a provider names no limits is learned from the first word`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.enqueue(try Sample.jobs(30))
            let attempts = try await bench.claim(30)
            try await bench.store.hear(
                AnswerBeginning(key: attempts[0].key, isAnswering: true), now: bench.now)
            #expect(try await bench.claim(30).count == 15)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a call on a healthy route has nothing to tell`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            try await bench.enqueue(try Sample.jobs(3))
            #expect(try await bench.claim(3).allSatisfy { !$0.isProbe && !$0.learnsLimits })
        }
    }
}
