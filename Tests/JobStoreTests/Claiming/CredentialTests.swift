import Jobs
import Testing
import TestSupport

/// Keys that a provider refuses are the affair of the workers that have them.
@Suite struct CredentialTests {
    private func worker(_ name: String, key: String?, _ harness: StoreHarness, partition: Partition = .common)
        async throws
        -> WorkerID
    {
        var worker = NewWorker(
            name: name, host: "here", processID: 1, slots: 5, partition: partition, services: [Sample.service]
        )
        worker.fingerprints = key.map { [Sample.service: $0] } ?? [:]
        return try await harness.store.register(worker)
    }

    private func worker(_ name: String, _ harness: StoreHarness) async throws -> WorkerStatus {
        try #require(try await harness.store.stats().workers.first { $0.name == name })
    }

    @Test(arguments: Backend.allCases)
    func `a worker with an old key stands aside by itself, and is named with the cure`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            let good = try await worker("good", key: "a", harness)
            let old = try await worker("old", key: "b", harness)
            try await harness.enqueue(try Sample.jobs(200))
            var (refused, succeeded) = (0, 0)
            for _ in 0..<20 {
                for attempt in try await harness.claim(5, as: old) {
                    refused += 1
                    try await harness.meet(Sample.refusal(401), attempt)
                }
                for attempt in try await harness.claim(5, as: good) {
                    succeeded += 1
                    try await harness.succeed(attempt)
                }
                harness.clock.advance(500)
            }
            // Five at first, then one every few seconds.
            #expect(succeeded == 100 && (6...15).contains(refused))
            #expect(try await harness.route().gate == nil)
            let words = try #require(try await worker("old", harness).refusedKeys.first)
            for part in ["ANTHROPIC_API_KEY", "401", "worker old", "restart"] {
                #expect(words.contains(part))
            }
            #expect(try await worker("good", harness).refusedKeys.isEmpty)
            let queued = try await harness.store.jobs(
                JobFilter(state: .queued), before: nil, limit: 1, bodies: [])
            #expect(queued.first?.waitingFor?.reason != .pause)
            #expect(try await harness.store.queue("default")?.counts.failed == 0)
        }
    }

    @Test(arguments: Backend.allCases)
    func `where every key is refused jobs say so, and a key that is accepted again is found by itself`(
        _ backend: Backend
    ) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            try await harness.store.unregister(harness.worker)
            let one = try await worker("one", key: "a", harness)
            let two = try await worker("two", key: "a", harness)
            let ids = try await harness.enqueue(try Sample.jobs(30))
            for attempt in try await harness.claim(2, as: one) {
                try await harness.meet(Sample.refusal(401), attempt)
            }
            // The other one has the same key: it need not find out by itself.
            #expect(try await harness.claim(5, as: two).isEmpty)
            let waiting = try #require(try await harness.job(ids[20]).waitingFor)
            #expect(waiting.reason == .pause && waiting.detail.contains("one, two") && waiting.until != nil)
            #expect(try await harness.route().gate?.reason == .pause)

            harness.clock.advance(4_000)
            let probe = try await harness.claim(5, as: two)
            #expect(probe.count == 1)
            #expect(try await harness.claim(5, as: one).isEmpty)
            harness.clock.advance(100)
            try await harness.succeed(try #require(probe.first))
            #expect(try await harness.claim(5, as: one).count == 5)
            #expect(try await harness.route().gate == nil)
            #expect(try await worker("one", harness).refusedKeys.isEmpty)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a route that a person resumes tries its refused keys at once`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            let old = try await worker("old", key: "b", harness)
            try await harness.enqueue("one", "two")
            try await harness.meet(
                Sample.refusal(401), try #require(try await harness.claim(1, as: old).first))
            #expect(try await harness.claim(1, as: old).isEmpty)
            let name = try await harness.route().name
            _ = try await harness.store.update(route: name, paused: false)
            #expect(try await worker("old", harness).refusedKeys.isEmpty)
            let again = try #require(try await harness.claim(1, as: old).first)
            harness.clock.advance(10)
            try await harness.meet(Sample.refusal(401), again)
            #expect(try await worker("old", harness).refusedKeys.count == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a worker that did not tell its key has the route probed, as before`(_ backend: Backend) async throws
    {
        try await StoreHarness.run(backend) { harness in
            try await harness.enqueue(try Sample.jobs(9))
            try await harness.meet(Sample.refusal(401), try await harness.claimOne())
            #expect(try await harness.route().gate?.detail.contains("401") == true)
        }
    }

    @Test(arguments: Backend.allCases)
    func `keys that no worker has any more are forgotten`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            let old = try await worker("old", key: "b", harness)
            try await harness.enqueue("one")
            for attempt in try await harness.claim(1, as: old) {
                try await harness.meet(Sample.refusal(401), attempt)
            }
            try await harness.store.unregister(old)
            harness.clock.advance(2 * 86_400_000)
            let new = try await worker("new", key: "b", harness)
            #expect(try await worker("new", harness).refusedKeys.isEmpty)
            #expect(try await harness.claim(5, as: new).count == 1)
        }
    }
}
