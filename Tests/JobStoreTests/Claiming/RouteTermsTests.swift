import Jobs
import Testing

@Suite struct RouteTermsTests {
    @Test(arguments: Backend.allCases)
    func `a route's concurrency is a cap over all workers`(backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            try await harness.store.configure(route: Sample.route, concurrency: 2)
            let other = try await harness.store.register(
                NewWorker(name: "other", host: "there", processID: 2, slots: 5))
            let ids = try await harness.enqueue("a", "b", "c")
            let first = try await harness.claim(1)
            #expect(try await harness.claim(5, as: other).count == 1)
            #expect(try await harness.claim(5).isEmpty)
            let waiting = try await harness.job(ids[2]).waitingFor
            #expect(waiting?.reason == .concurrency)
            #expect(waiting?.detail == "2 of 2 calls of the route are in flight")
            let bottleneck = Bottleneck(detail: "calls in flight, 2 of 2", moreWorkersHelp: false)
            #expect(try await harness.store.stats().routes.first?.bottleneck == bottleneck)
            #expect(try await harness.route().bottleneck == bottleneck)
            #expect(try await harness.route().waiting.map(\.waiting.reason) == [.concurrency])
            try await harness.succeed(try #require(first.first))
            #expect(try await harness.claim(5).count == 1)
            try await harness.store.configure(route: Sample.route, concurrency: nil)
            #expect(try await harness.store.routes().first?.running == 2)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a queue at its cap is the bottleneck`(backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            _ = try await harness.store.update(queue: "default", QueuePatch(concurrency: 1))
            let ids = try await harness.enqueue("a", "b")
            #expect(try await harness.claim(5).count == 1)
            #expect(try await harness.job(ids[1]).waitingFor?.reason == .concurrency)
            let bottleneck = try await harness.store.stats().routes.first?.bottleneck
            #expect(
                bottleneck
                    == Bottleneck(detail: "jobs of queue default in flight, 1 of 1", moreWorkersHelp: false))
        }
    }

    @Test(arguments: Backend.allCases)
    func `a job shows what was asked for and the exact model`(backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            var job = try Sample.job("alias")
            job.requestedModel = "fast"
            let id = try await harness.enqueue([job])[0]
            #expect(try await harness.job(id).requestedModel == "fast")
            #expect(try await harness.job(id).model == Sample.route.model)
            let plain = try await harness.enqueue("plain")[0]
            #expect(try await harness.job(plain).requestedModel == Sample.route.model)
        }
    }

    private var moved: RouteKey {
        var service = Sample.service
        service.endpoint = "https://elsewhere.example"
        return RouteKey(service: service, model: Sample.route.model)
    }

    @Test(arguments: Backend.allCases)
    func `jobs of an endpoint that no worker calls say so, and are moved by naming their model again`(
        backend: Backend
    ) async throws {
        try await StoreHarness.run(backend) { harness in
            let ids = try await harness.enqueue([
                try Sample.job("one", route: moved), try Sample.job("two", route: moved),
            ])
            // The bench's own worker did not say what it calls; it leaves, and one comes that does.
            try await harness.store.unregister(harness.worker)
            #expect(try await harness.job(ids[0]).waitingFor?.detail.contains("no worker is running") == true)
            let worker = try await harness.store.register(
                NewWorker(
                    name: "other", host: "there", processID: 2, slots: 5, services: [Sample.service]))
            let waiting = try await harness.job(ids[0]).waitingFor
            #expect(waiting?.reason == .worker)
            #expect(waiting?.detail.contains("https://elsewhere.example") == true)
            #expect(waiting?.detail.contains("renga retry --model \(Sample.route.model)") == true)
            #expect(try await harness.claim(5, as: worker).isEmpty)

            let change = try await harness.store.retry(
                JobFilter(state: .queued, model: Sample.route.model),
                change: RetryChange(route: Sample.route), after: nil, limit: 100)
            #expect(change.count == 2)
            #expect(try await harness.claim(5, as: worker).map(\.route) == [Sample.route, Sample.route])
        }
    }
}

@Suite struct MendingTests {
    private let typo = RouteKey(service: Sample.service, model: "claude-haiku-typo")
    private let refusal = Outcome(
        .refusal(Refusal(status: 404, type: "not_found_error", message: "model: claude-haiku-typo")))

    /// Has the fuse blown by jobs of a misspelt model; returns all of them.
    private func blowFuse(_ harness: StoreHarness, jobs: Int) async throws -> [JobID] {
        let route = typo
        let ids = try await harness.enqueue((0..<jobs).map { try Sample.job("typo \($0)", route: route) })
        while true {
            let attempts = try await harness.claim(100)
            if attempts.isEmpty { return ids }
            for attempt in attempts { try await harness.meet(refusal, attempt) }
        }
    }

    @Test(arguments: Backend.allCases)
    func `one command mends what failed and what still waits, and the queue goes on`(backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            let ids = try await blowFuse(harness, jobs: 50)
            let failed = try await harness.states(ids).count { $0 == .failed }
            #expect(failed == 21)
            #expect(try await harness.store.queue("default")?.heldBack.count == 1)

            let change = RetryChange(route: Sample.route)
            for state in [JobState.queued, .failed] {
                let filter = JobFilter(state: state, model: typo.model)
                var last: JobID?
                // In portions, as the API asks for them: the queue goes on with the last one only.
                repeat {
                    let portion = try await harness.store.retry(
                        filter, change: change, after: last, limit: 10)
                    last = portion.last
                } while last != nil
            }
            let queue = try #require(try await harness.store.queue("default"))
            #expect(!queue.paused && queue.heldBack.isEmpty && queue.counts.queued == 50)
            let attempts = try await harness.claim(5)
            #expect(attempts.count == 5)
            #expect(attempts.allSatisfy { $0.route == Sample.route })
            let request = String(decoding: attempts[0].request, as: UTF8.self)
            #expect(request.contains(Sample.route.model) && !request.contains("typo\","))
        }
    }

    @Test(arguments: Backend.allCases)
    func `what is still wrong stays held back`(backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let ids = try await blowFuse(harness, jobs: 25)
            _ = try await harness.store.retry(
                JobFilter(state: .failed), change: RetryChange(route: Sample.route), after: nil, limit: 100)
            #expect(try await harness.store.queue("default")?.heldBack.count == 1)
            #expect(try await harness.states(ids).allSatisfy { $0 == .queued })
        }
    }

    @Test(arguments: Backend.allCases)
    func `a queue that a person paused stays paused, and a queued job without a change is refused`(
        backend: Backend
    ) async throws {
        try await StoreHarness.run(backend) { harness in
            let id = try await harness.enqueue("waits")[0]
            _ = try await harness.store.update(queue: "default", QueuePatch(paused: true))
            #expect(
                try await harness.store.retry(id, change: RetryChange())
                    == .refused(.queued))
            #expect(
                try await harness.store.retry(id, change: RetryChange(route: typo, requestedModel: "fast"))
                    == .changed)
            #expect(try await harness.store.queue("default")?.paused == true)
            let job = try await harness.job(id)
            #expect(job.model == typo.model && job.requestedModel == "fast")
        }
    }

    @Test(arguments: Backend.allCases)
    func `a scheduled job keeps its time when it is mended`(backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            var job = try Sample.job("later")
            job.delay = 60_000
            let id = try await harness.enqueue([job])[0]
            _ = try await harness.store.retry(id, change: RetryChange(route: typo, maxTokens: 7))
            #expect(try await harness.job(id).waitingFor?.reason == .schedule)
            #expect(try await harness.claim(5).isEmpty)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a job that waits for another's answer looks anew once it is mended`(backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            let ids = try await harness.enqueue("same", "same")
            #expect(try await harness.claim(5).count == 1)
            let follower = try await harness.states(ids).firstIndex(of: .queued)
            let id = ids[try #require(follower)]
            #expect(try await harness.job(id).waitingFor?.reason == .identicalPrompt)
            _ = try await harness.store.retry(id, change: RetryChange(maxTokens: 7))
            #expect(try await harness.claim(5).map(\.key.job) == [id])
        }
    }
}
