import Jobs
import TestSupport
import Testing

/// Whose fault a failure is: a job's that fails while others succeed, nobody's in an outage.
@Suite struct BlameTests {
    private static let malformed = Outcome(
        .broken(Breakage(kind: .malformed, message: "no Message", maySent: true)))
    private static let cut = Outcome(
        .broken(
            Breakage(
                kind: .timeout, message: "nothing came for 30 s", maySent: true, usage: Usage(inputTokens: 9))
        ))

    /// Lets one job meet the same again and again with nothing beside it; returns its attempts.
    private func repeating(_ outcome: Outcome, _ harness: StoreHarness) async throws -> [Attempt] {
        let id = try await harness.enqueue("lone")[0]
        for _ in 0..<100 {
            for attempt in try await harness.claim(5) { try await harness.meet(outcome, attempt) }
            if try await harness.job(id).state == .failed { break }
            harness.clock.advance(120_000)
        }
        #expect(try await harness.job(id).state == .failed)
        return try #require(try await harness.store.attempts(of: id))
    }

    @Test(arguments: Backend.allCases)
    func `a lone job whose stream is cut each time fails after its attempts`(_ backend: Backend) async throws
    {
        try await StoreHarness.run(backend) { harness in
            let attempts = try await repeating(Self.cut, harness)
            #expect(attempts.map(\.counted) == [true, true, true, true])
        }
    }

    @Test(arguments: Backend.allCases)
    func `a lone job whose answers are no Message fails after its attempts and two more`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            let attempts = try await repeating(Self.malformed, harness)
            #expect(attempts.map(\.counted) == [false, false, true, true, true, true])
        }
    }

    @Test(arguments: Backend.allCases)
    func `an overload amid the answer is forgiven twice`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let overload = Outcome(
                .refusal(
                    Refusal(
                        status: 200, type: "overloaded_error", message: "Overloaded",
                        usage: Usage(inputTokens: 5))))
            let attempts = try await repeating(overload, harness)
            #expect(attempts.count == 6)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a failure counts where others succeeded since the job first failed`(_ backend: Backend) async throws
    {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            let bad = try await harness.enqueue("bad")[0]
            func fail() async throws {
                harness.clock.advance(120_000)
                let attempt = try #require(try await harness.claim(5).first { $0.key.job == bad })
                try await harness.meet(Sample.refusal(500), attempt)
            }
            try await fail()
            #expect(try await harness.job(bad).attemptsCounted == 0)
            try await harness.enqueue("good")
            try await harness.succeed(try await harness.claimOne())
            try await fail()
            #expect(try await harness.job(bad).attemptsCounted == 1)
            // One success is one proof: an outage that begins now is nobody's fault.
            for _ in 0..<5 { try await fail() }
            #expect(try await harness.job(bad).attemptsCounted == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a retry begins with a clean slate`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let attempts = try await repeating(Self.malformed, harness)
            let id = try #require(
                try await harness.store.jobs(
                    JobFilter(state: .failed), before: nil, limit: 1, bodies: []
                ).first?.id)
            _ = try await harness.store.retry(id, change: RetryChange())
            harness.clock.advance(120_000)
            try await harness.meet(Self.malformed, try await harness.claimOne())
            let history = try #require(try await harness.store.attempts(of: id))
            #expect(history.last?.counted == false && history.count == attempts.count + 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `each probe is another job's`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            let ids = try await harness.enqueue(try Sample.jobs(30))
            for attempt in try await harness.claim(5) { try await harness.meet(Sample.refusal(500), attempt) }
            var probes: [JobID] = []
            for _ in 0..<8 {
                harness.clock.advance(120_000)
                let attempts = try await harness.claim(5)
                #expect(attempts.count == 1)
                probes += attempts.map(\.key.job)
                for attempt in attempts { try await harness.meet(Sample.refusal(500), attempt) }
            }
            #expect(probes == Array(ids[5..<13]))
        }
    }

    /// What one run came to.
    private struct Run {
        var milliseconds: Milliseconds = 0
        /// Calls of the bad jobs that may have been paid.
        var paid: [JobID: Int] = [:]
    }

    /// 1,000 jobs by 40 slots on a clock of its own, `bad` of them always answered with what is no Message.
    private func run(_ backend: Backend, bad: Set<Int>, seed: UInt64) async throws -> Run {
        var run = Run()
        try await StoreHarness.run(backend) { harness in
            var random = SeededRandom(seed: seed)
            try await harness.warmUp()
            let ids = try await harness.enqueue(try Sample.jobs(1_000 + bad.count))
            let isBad = Set(bad.map { ids[$0] })
            let (start, good) = (harness.now.timestamp, 1_000)
            var flying: [(end: Timestamp, attempt: ClaimedAttempt)] = []
            var (done, lastGood) = (0, harness.now.timestamp)
            while done < ids.count, harness.now.timestamp - start < 3_600_000 {
                let claim = try await harness.fullClaim(40 - flying.count, running: flying.count)
                for attempt in claim.attempts {
                    let time =
                        isBad.contains(attempt.key.job) ? 300 : Int64.random(in: 1500...2500, using: &random)
                    flying.append((harness.now.timestamp + time, attempt))
                }
                let next = flying.map { $0.end - harness.now.timestamp }.min()
                let wait = flying.count < 40 ? min(claim.wakeAfter ?? 500, 500) : .max
                harness.clock.advance(max(1, min(next ?? 500, wait)))
                for (_, attempt) in flying.filter({ $0.end <= harness.now.timestamp }) {
                    if isBad.contains(attempt.key.job) {
                        run.paid[attempt.key.job, default: 0] += 1
                        if try await harness.meet(Self.malformed, attempt) == .settled(.failed) { done += 1 }
                    } else {
                        try await harness.succeed(attempt)
                        (done, lastGood) = (done + 1, harness.now.timestamp)
                    }
                }
                flying.removeAll { $0.end <= harness.now.timestamp }
            }
            #expect(done == ids.count)
            #expect(try await harness.store.queue("default")?.counts.succeeded == good)
            run.milliseconds = lastGood - start
        }
        return run
    }

    @Test(arguments: Backend.allCases)
    func `ten jobs that always fail leave a thousand good ones nine tenths of their rate`(_ backend: Backend)
        async throws
    {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed: seed)
        let without = try await run(backend, bad: [], seed: seed)
        // At the head of the line they look like an outage for a moment: the breaker opens once.
        let anywhere = Set((0..<1_010).shuffled(using: &random).prefix(10))
        for (bad, least) in [(anywhere, 0.9), (Set(0..<10), 0.8)] {
            let with = try await run(backend, bad: bad, seed: seed)
            let rate = Double(without.milliseconds) / Double(with.milliseconds)
            let most = with.paid.values.max() ?? 0
            print("seed \(seed): \(Int(rate * 100)) % of the rate, at most \(most) calls of a bad job")
            #expect(rate >= least)
            #expect(with.paid.count == 10 && most <= 4 + Standing.mostForgiven)
        }
    }
}
