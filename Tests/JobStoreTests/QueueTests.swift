import Jobs
import Testing

@Suite struct QueueTests {
    @Test(arguments: Backend.allCases)
    func `a queue is made when it is first named, and a patch changes what it names`(_ backend: Backend)
        async throws
    {
        try await Bench.run(backend) { bench in
            #expect(try await bench.store.queue("q") == nil)
            let made = try await bench.store.update(queue: "q", QueuePatch(concurrency: 4), now: bench.now)
            #expect(made.concurrency == 4)
            #expect(made.weight == 100)
            #expect(!made.paused)
            let second = try await bench.store.update(queue: "q", QueuePatch(paused: true), now: bench.now)
            #expect(second.concurrency == 4 && second.paused)
            let third = try await bench.store.update(
                queue: "q", QueuePatch(concurrency: .some(nil), weight: 7), now: bench.now)
            #expect(third.concurrency == nil && third.weight == 7 && third.paused)
            #expect(try await bench.store.queue("q")?.weight == 7)
        }
    }

    @Test(arguments: Backend.allCases)
    func `queues are listed by name with their counts`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.enqueue([
                try Sample.job("one", queue: "b"), try Sample.job("two", queue: "a"),
                try Sample.job("three", queue: "a", route: Sample.otherModel),
            ])
            let queues = try await bench.store.queues()
            #expect(queues.map(\.name) == ["a", "b"])
            #expect(queues.map(\.counts.queued) == [2, 1])
        }
    }

    @Test(arguments: Backend.allCases)
    func `a route that nobody named is not known`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            #expect(try await bench.store.update(route: "a/b", paused: true, now: bench.now) == nil)
            try await bench.enqueue("one")
            let route = try await bench.store.update(
                route: Sample.route.name, paused: true, now: bench.now)
            #expect(route?.paused == true)
            #expect(route?.endpoint == Sample.service.endpoint)
            #expect(try await bench.route().paused)
        }
    }
}
