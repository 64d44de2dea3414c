import Jobs
import Testing

/// Keys that a provider refuses are the affair of the workers that have them.
@Suite struct CredentialTests {
    private func worker(_ name: String, key: String?, _ bench: Bench, line: Line = .common) async throws
        -> WorkerID
    {
        var worker = NewWorker(
            name: name, host: "here", processID: 1, slots: 5, line: line, services: [Sample.service])
        worker.fingerprints = key.map { [Sample.service: $0] } ?? [:]
        return try await bench.store.register(worker, now: bench.now)
    }

    private func worker(_ name: String, _ bench: Bench) async throws -> WorkerStatus {
        try #require(try await bench.store.stats(now: bench.now).workers.first { $0.name == name })
    }

    @Test(arguments: Backend.allCases)
    func `a worker with an old key stands aside by itself, and is named with the cure`(_ backend: Backend)
        async throws
    {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            let good = try await worker("good", key: "a", bench)
            let old = try await worker("old", key: "b", bench)
            try await bench.enqueue(try Sample.jobs(200))
            var (refused, succeeded) = (0, 0)
            for _ in 0..<20 {
                for attempt in try await bench.claim(5, as: old) {
                    refused += 1
                    try await bench.meet(Sample.refusal(401), attempt)
                }
                for attempt in try await bench.claim(5, as: good) {
                    succeeded += 1
                    try await bench.succeed(attempt)
                }
                bench.clock.advance(500)
            }
            // Five at first, then one every few seconds.
            #expect(succeeded == 100 && (6...15).contains(refused))
            #expect(try await bench.route().gate == nil)
            let words = try #require(try await worker("old", bench).refusedKeys.first)
            for part in ["ANTHROPIC_API_KEY", "401", "worker old", "restart"] {
                #expect(words.contains(part))
            }
            #expect(try await worker("good", bench).refusedKeys.isEmpty)
            let queued = try await bench.store.jobs(
                JobFilter(state: .queued), before: nil, limit: 1, bodies: [], now: bench.now)
            #expect(queued.first?.waitingFor?.gate != .pause)
            #expect(try await bench.store.queue("default")?.counts.failed == 0)
        }
    }

    @Test(arguments: Backend.allCases)
    func `where every key is refused jobs say so, and a key that is accepted again is found by itself`(
        _ backend: Backend
    ) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            try await bench.store.unregister(bench.worker, now: bench.now)
            let one = try await worker("one", key: "a", bench)
            let two = try await worker("two", key: "a", bench)
            let ids = try await bench.enqueue(try Sample.jobs(30))
            for attempt in try await bench.claim(2, as: one) {
                try await bench.meet(Sample.refusal(401), attempt)
            }
            // The other one has the same key: it need not find out by itself.
            #expect(try await bench.claim(5, as: two).isEmpty)
            let waiting = try #require(try await bench.job(ids[20]).waitingFor)
            #expect(waiting.gate == .pause && waiting.detail.contains("one, two") && waiting.until != nil)
            #expect(try await bench.route().gate?.gate == .pause)

            bench.clock.advance(4_000)
            let probe = try await bench.claim(5, as: two)
            #expect(probe.count == 1)
            #expect(try await bench.claim(5, as: one).isEmpty)
            bench.clock.advance(100)
            try await bench.succeed(try #require(probe.first))
            #expect(try await bench.claim(5, as: one).count == 5)
            #expect(try await bench.route().gate == nil)
            #expect(try await worker("one", bench).refusedKeys.isEmpty)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a route that a person resumes tries its refused keys at once`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            let old = try await worker("old", key: "b", bench)
            try await bench.enqueue("one", "two")
            try await bench.meet(Sample.refusal(401), try #require(try await bench.claim(1, as: old).first))
            #expect(try await bench.claim(1, as: old).isEmpty)
            let name = try await bench.route().name
            _ = try await bench.store.update(route: name, paused: false, now: bench.now)
            #expect(try await worker("old", bench).refusedKeys.isEmpty)
            let again = try #require(try await bench.claim(1, as: old).first)
            bench.clock.advance(10)
            try await bench.meet(Sample.refusal(401), again)
            #expect(try await worker("old", bench).refusedKeys.count == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a worker that did not tell its key has the route probed, as before`(_ backend: Backend) async throws
    {
        try await Bench.run(backend) { bench in
            try await bench.enqueue(try Sample.jobs(9))
            try await bench.meet(Sample.refusal(401), try await bench.claimOne())
            #expect(try await bench.route().gate?.detail.contains("401") == true)
        }
    }

    @Test(arguments: Backend.allCases)
    func `keys that no worker has any more are forgotten`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            let old = try await worker("old", key: "b", bench)
            try await bench.enqueue("one")
            for attempt in try await bench.claim(1, as: old) {
                try await bench.meet(Sample.refusal(401), attempt)
            }
            try await bench.store.unregister(old, now: bench.now)
            bench.clock.advance(2 * 86_400_000)
            let new = try await worker("new", key: "b", bench)
            #expect(try await worker("new", bench).refusedKeys.isEmpty)
            #expect(try await bench.claim(5, as: new).count == 1)
        }
    }
}
