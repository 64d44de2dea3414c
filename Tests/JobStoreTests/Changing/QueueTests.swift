import Jobs
import Testing

@Suite struct QueueTests {
    @Test(arguments: Backend.allCases)
    func `a queue is made when it is first named, and a patch changes what it names`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            #expect(try await harness.store.queue("q") == nil)
            let made = try await harness.store.update(queue: "q", QueuePatch(concurrency: 4))
            #expect(made.concurrency == 4)
            #expect(made.weight == 100)
            #expect(!made.paused)
            let second = try await harness.store.update(queue: "q", QueuePatch(paused: true))
            #expect(second.concurrency == 4 && second.paused)
            let third = try await harness.store.update(
                queue: "q", QueuePatch(concurrency: .some(nil), weight: 7))
            #expect(third.concurrency == nil && third.weight == 7 && third.paused)
            #expect(try await harness.store.queue("q")?.weight == 7)
        }
    }

    @Test(arguments: Backend.allCases)
    func `queues are listed by name with their counts`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.enqueue([
                try Sample.job("one", queue: "b"), try Sample.job("two", queue: "a"),
                try Sample.job("three", queue: "a", route: Sample.otherModel),
            ])
            let queues = try await harness.store.queues()
            #expect(queues.map(\.name) == ["a", "b"])
            #expect(queues.map(\.counts.queued) == [2, 1])
        }
    }

    @Test(arguments: Backend.allCases)
    func `a route that nobody named is not known`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            #expect(try await harness.store.update(route: "a/b", paused: true) == nil)
            try await harness.enqueue("one")
            let route = try await harness.store.update(route: Sample.route.name, paused: true)
            #expect(route?.paused == true)
            #expect(route?.endpoint == Sample.service.endpoint)
            #expect(try await harness.route().paused)
        }
    }
}
